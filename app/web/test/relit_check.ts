// SPDX-License-Identifier: Apache-2.0
/** Photos relit by the library's networks, upright and turned, against Python. */
import { faceFrom } from "../src/face/face";
import { Pixels, type Raster } from "../src/image/raster";
import { shrinkPixels } from "../src/image/resample";
import type { Light } from "../src/light";
import { Portrait } from "../src/portrait";
import type { Setup } from "../src/setup";
import { analyzeView, environmentOf, type Analysis } from "../src/stage/analysis";
import type { Networks } from "../src/stage/stages";
import { viewOf } from "../src/stage/view";
import { sameMap } from "./gain_check";
import { colours, every } from "./picture";
import { alikeSetup } from "./placement_check";
import { knownBelow } from "./portrait_check";
import { array, close, matches, raster, square, values } from "./vector";

/** Levels that a relit picture may differ by, on average and at most. */
const [MEAN, MOST] = [0.1, 2];
/**
 * Normals and light may differ by this on average: networks with 8-bit weights quantise what passes
 * through them, and it is rounded otherwise here and there.
 */
const ROUNDED = { normals: 3e-3, light: 2e-2 };
const LIGHTS: Light[] = values["relight/lights"];
const EVERY: number = values["relight/every"];

/** A photo looked at, its landmarks and the person's outlines, of head and body, known. */
async function look(
  networks: Networks,
  photo: Pixels,
  landmarks: readonly Float32Array[],
  [person, around]: readonly Raster[],
): Promise<Portrait> {
  const analyses: Analysis[] = [];
  for (const points of landmarks) {
    const face = faceFrom(points, photo.rows, photo.columns);
    const crop = face.crop.extract(photo, 256);
    if (crop === null) throw new Error("no crop");
    const below = knownBelow(around, photo, face);
    analyses.push(await analyzeView(networks, face, viewOf(crop, face, person), below));
  }
  return new Portrait(networks, photo, analyses);
}

const mask = (name: string): Raster => raster(name).map((value) => value / 255);
const masks = (): Raster[] => [mask("view/person_mask"), mask("view/body_mask")];
const withFill = (lights: readonly Light[], fill = 1): Setup => ({ lights, fill, reason: [] });

function samePicture(name: string, found: Pixels, step = EVERY): void {
  matches(name, colours(found, step), MEAN, MOST);
}

/** The example under several lights, with less of its own light, and at preview size. */
export async function checkExample(networks: Networks, photo: Pixels): Promise<void> {
  const portrait = await look(networks, photo, [array("mesh/landmarks")], masks());
  alikeSetup("relight/setup", await portrait.suggest(), values["relight/setup"]);
  const strength: number = values["relight/strength"];
  samePicture("relight/own_lights", await portrait.render(withFill(LIGHTS), { strength }));
  const side: number = values["preview/side"];
  samePicture("preview/relit", await portrait.render(withFill(LIGHTS.slice(0, 1)), { side }), 1);
  sameMap("portrait/gain", await portrait.gain(LIGHTS[1]), 1e-4);
  sameMap("portrait/preview_gain", await portrait.gain(LIGHTS[1], { side }), 1e-4);
  const filled = withFill(LIGHTS, values["portrait/fill"]);
  for (const name of ["portrait/filled", "portrait/partly_filled", "portrait/overdone"]) {
    samePicture(name, await portrait.render(filled, { strength: values[name] }));
  }
  // The shrunk photo itself may differ by a level, and outlines follow it.
  const preview = colours(await portrait.render(filled, { side }));
  matches("portrait/filled_preview", preview, MEAN, 2 * MOST);
  const after = portrait.keyToFill(0, await portrait.render(filled));
  // A mean of pixels that may differ by a level.
  close("portrait/key_to_fill_after", [after], [values["portrait/key_to_fill_after"]], 1e-2);
}

/** The example twice, side by side, the second smaller: several faces, one light. */
export async function checkGroup(networks: Networks, photo: Pixels): Promise<void> {
  const { rows, columns } = photo;
  const small = shrinkPixels(photo, 2);
  const pair = new Pixels(rows, columns + small.columns, new Uint8ClampedArray(rows * (columns + small.columns) * 4));
  for (let y = 0; y < rows; y++) {
    const start = y * pair.columns * 4;
    const [row, other] = [y * columns * 4, (y % small.rows) * small.columns * 4];
    pair.rgba.set(photo.rgba.subarray(row, row + columns * 4), start);
    pair.rgba.set(small.rgba.subarray(other, other + small.columns * 4), start + columns * 4);
  }
  const first = array("mesh/landmarks");
  const second = first.map((value, i) => value / 2 + (i % 3 === 0 ? columns : 0));
  const portrait = await look(networks, pair, [first, second], masks());
  const setup = await portrait.suggest();
  alikeSetup("group/setup", setup, values["group/setup"]);
  samePicture("group/relit", await portrait.render(setup));
}

/** A photo of a head that leans: how it is seen and lit. */
export async function checkTurned(networks: Networks, name: string, photo: Pixels): Promise<void> {
  const landmarks = array(`${name}/landmarks`);
  const portrait = await look(networks, photo, [landmarks], [
    mask(`${name}/person_mask`),
    mask(`${name}/body_mask`),
  ]);
  const [analysis] = portrait.analyses;
  const { face, view, cropEnvironment, normals } = analysis;
  const { x, y, size, roll } = square(values[`${name}/crop`]);
  close(`${name}/crop`, [face.crop.x, face.crop.y, face.crop.size, face.crop.roll], [x, y, size, roll], 1e-4);
  close(`${name}/head_pose`, face.headPose.flat(), values[`${name}/head_pose`].flat(), 1e-4);
  close(`${name}/crop_pose`, face.cropPose.flat(), values[`${name}/crop_pose`].flat(), 1e-4);
  matches(`${name}/photo`, view.photo.data.map((value) => value * 255), 0.01, 1);
  matches(`${name}/mesh_normals`, every(view.mesh.normals, 2), 1e-5);
  matches(`${name}/normals`, every(normals, 2), ROUNDED.normals);
  matches(`${name}/crop_environment`, cropEnvironment.data.data, ROUNDED.light);
  matches(`${name}/environment`, environmentOf(analysis).data.data, ROUNDED.light);
  const setup = await portrait.suggest();
  alikeSetup(`${name}/suggested`, setup, values[`${name}/suggested`]);
  samePicture(`${name}/relit`, await portrait.render(setup));
  samePicture(`${name}/own_lights`, await portrait.render(withFill(LIGHTS)));
}

/** A photo turned clockwise by a quarter. */
export function quarter(photo: Pixels): Pixels {
  const { rows, columns, rgba } = photo;
  const result = new Pixels(columns, rows, new Uint8ClampedArray(rgba.length));
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = (y * columns + x) * 4;
      result.rgba.set(rgba.subarray(from, from + 4), (x * rows + rows - 1 - y) * 4);
    }
  }
  return result;
}
