// SPDX-License-Identifier: Apache-2.0
/**
 * Every stage against Python's golden vectors: `node golden.js FOLDER PORTRAIT ROWS COLUMNS`, where
 * PORTRAIT holds the example's RGB bytes. Prints what differs and fails if anything does.
 */
import { readFileSync } from "node:fs";
import { analyzeView, outlineOf, placeOn, type Analysis } from "../src/stage/analysis";
import { encodedGain, toLinear, toSrgb } from "../src/color";
import { Environment, SPHERES } from "../src/environment";
import { faceFrom } from "../src/face/face";
import { blur, dilate, erode, gaussianBlur, guidedFilter } from "../src/image/filter";
import { Crop, direction, RADIAN, type Grid, type Matrix, type Vector } from "../src/geometry";
import { Guide, type Outline } from "../src/gain/guide";
import { headAngles, keyToFillWith, place, placeGroup, towards, type Light, type Placed } from "../src/light";
import { region, surface, VERTICES } from "../src/face/mesh";
import { headPose } from "../src/face/pose";
import { Portrait } from "../src/portrait";
import type { Setup } from "../src/setup";
import { apply, type GainMap } from "../src/gain/apply";
import { Pixels, Raster } from "../src/image/raster";
import { resizeArea, shrink, shrinkPixels } from "../src/image/resample";
import { unshadowed } from "../src/stage/cast_shadow";
import { gainInputs, keyGain, type Networks } from "../src/stage/stages";
import { SIDE, viewOf, type View } from "../src/stage/view";

type Numbers = ArrayLike<number>;
interface Entry {
  type: "float32" | "uint8" | "int32";
  shape: number[];
  offset: number;
}

const [folder, portraitFile, rowsText, columnsText] = process.argv.slice(2);
const index = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8"));
const content = readFileSync(`${folder}/golden.bin`);
const values: Record<string, any> = index.values;
const entries: Record<string, Entry> = index.arrays;

function array(name: string): Float32Array {
  const { type, shape, offset } = entries[name];
  const count = shape.reduce((a, b) => a * b, 1);
  const read = (i: number): number =>
    type === "uint8"
      ? content.readUInt8(offset + i)
      : type === "int32"
        ? content.readInt32LE(offset + i * 4)
        : content.readFloatLE(offset + i * 4);
  return Float32Array.from({ length: count }, (_, i) => read(i));
}

function raster(name: string): Raster {
  const [rows, columns, channels = 1] = entries[name].shape;
  return new Raster(rows, columns, channels, array(name));
}

let failures = 0;
let checks = 0;

/** Compare: mean difference, and the share of numbers that may differ more than `most`. */
function close(name: string, found: Numbers, wanted: Numbers, mean: number, most = Infinity): void {
  checks += 1;
  let [total, worst] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(found[i] - wanted[i]);
    total += difference;
    worst = Math.max(worst, difference);
  }
  const average = total / wanted.length;
  if (found.length === wanted.length && average <= mean && worst <= most) return;
  failures += 1;
  console.log(`${name}: mean difference ${average}, largest ${worst}, ${found.length} numbers`);
}

function matches(name: string, found: Numbers, mean: number, most = Infinity): void {
  close(name, found, array(name), mean, most);
}

function colours(photo: Pixels, every = 1): number[] {
  const result: number[] = [];
  for (let y = 0; y < photo.rows; y += every) {
    for (let x = 0; x < photo.columns; x += every) {
      result.push(...photo.rgba.subarray((y * photo.columns + x) * 4).subarray(0, 3));
    }
  }
  return result;
}

function every(image: Raster, step: number): number[] {
  const result: number[] = [];
  for (let y = 0; y < image.rows; y += step) {
    for (let x = 0; x < image.columns; x += step) {
      const at = (y * image.columns + x) * image.channels;
      result.push(...image.data.subarray(at, at + image.channels));
    }
  }
  return result;
}

function opaque(rows: number, columns: number, rgb: Numbers): Pixels {
  return Pixels.rounded(new Raster(rows, columns, 3, Float32Array.from(rgb)));
}

function part(photo: Pixels, top: number, left: number, rows: number, columns: number): Pixels {
  const crop: number[] = [];
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      crop.push(...photo.rgba.subarray((y * photo.columns + x) * 4).subarray(0, 3));
    }
  }
  return opaque(rows, columns, crop);
}

const square = ({ left, top, size }: any): Crop => new Crop(left, top, size);
const vectors = (flat: Numbers): Vector[] =>
  Array.from({ length: flat.length / 3 }, (_, i) => [flat[i * 3], flat[i * 3 + 1], flat[i * 3 + 2]]);

function checkColor(): void {
  const bytes = Array.from({ length: 256 }, (_, i) => toLinear(i / 255));
  matches("color/table", bytes, 1e-6);
  matches("color/linear_to_srgb", array("color/linear").map(toSrgb), 1e-6);
  matches("color/srgb_to_linear", array("color/encoded").map(toLinear), 1e-6);
  matches("color/encoded_gain", array("color/gain").map(encodedGain), 1e-6);
}

function checkGeometry(portrait: Pixels): void {
  const grid = array("geometry/angles_deg");
  const found = Array.from({ length: grid.length / 2 }, (_, i) =>
    direction(grid[i * 2] * RADIAN, grid[i * 2 + 1] * RADIAN),
  );
  matches("geometry/direction", found.flat(), 1e-6);
  values["geometry/extract"].forEach((crop: any, i: number) => {
    const view = square(crop).extract(portrait, crop.resolution ?? crop.size);
    matches(`geometry/extract/${i}`, view ? colours(view) : [], 0.3, 3);
  });
  const given = raster("geometry/values");
  values["geometry/onto_grid"].forEach(({ crop, grid: cells }: any, i: number) => {
    matches(`geometry/onto_grid/${i}`, square(crop).ontoGrid(given, cells as Grid).data, 0.01);
  });
  for (const factor of [2, 3]) {
    const corner = part(portrait, 0, 0, 50, 47);
    matches(`geometry/shrink/${factor}`, colours(shrinkPixels(corner, factor)), 0.3, 1);
    matches(`geometry/shrink_float/${factor}`, shrink(given, factor).data, 1e-5);
  }
  matches("geometry/resize_area", colours(Pixels.rounded(resizeArea(portrait, 41, 37))), 0.1, 1);
}

function checkFilter(): void {
  const [guide, given] = [raster("filter/guide"), raster("filter/values")];
  matches("filter/box", blur(given, 5).data, 1e-5);
  matches("filter/gaussian", gaussianBlur(given, 1.3).data, 1e-4);
  matches("filter/gaussian_replicate", gaussianBlur(given, 4, "replicate").data, 1e-4);
  const mask = given.map((x) => (x > 0.5 ? 1 : 0));
  matches("filter/erode", erode(mask, 3).data, 0);
  matches("filter/dilate", dilate(mask, 3).data, 0);
  matches("filter/guided/1", guidedFilter(guide, given, 3, 1e-4, 1).data, 1e-3);
  matches("filter/guided/0.25", guidedFilter(guide, given, 2, 1e-4, 0.25).data, 2e-3);
}

function checkMesh(portrait: Pixels): void {
  const face = faceFrom(array("mesh/landmarks"), portrait.rows, portrait.columns);
  const drawing = face.crop.toCrop(face.landmarks, 128);
  matches("mesh/crop_landmarks", drawing, 1e-3);
  close("face/head_pose", face.headPose.flat(), values["face/head_pose"].flat(), 1e-4);
  close("face/box", face.box, values["face/box"], 1e-3);
  const mesh = surface(drawing, face.headPose, 64);
  matches("mesh/mask", mesh.mask.data, 0.005);
  matches("mesh/normals", mesh.normals.data, 0.005);
  matches("mesh/depth", mesh.depth.data, 0.05);
  const features = ["lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow"];
  matches("mesh/region", region(drawing, features, 128).data, 0);
  const [rows, columns] = values["mesh/shape"];
  values["mesh/poses"].forEach((pose: any, i: number) => {
    const found = headPose(array(`mesh/posed/${i}`), VERTICES, rows, columns);
    close(`mesh/poses/${i}`, found.flat(), pose.head_pose.flat(), 1e-4);
    close(`mesh/angles/${i}`, headAngles(found), pose.angles_deg.slice(0, 2), 0.01);
  });
}

function checkEnvironment(): void {
  const normals = vectors(array("environment/normals"));
  const poses: Matrix[] = values["environment/head_poses"];
  for (const name of ["uniform", "soft", "left", "right"]) {
    const path = `environment/${name}`;
    const environment = new Environment(raster(path));
    matches(`${path}/irradiance`, normals.map((n) => environment.irradiance(n)).flat(), 1e-4);
    matches(`${path}/sample`, normals.map((n) => environment.sample(n)).flat(), 0.02);
    const { cheeks, key_to_fill, dominant_direction } = values[path];
    close(`${path} cheeks`, poses.map((p) => environment.cheeks(p)).flat(), cheeks.flat(), 1e-3);
    close(`${path} ratio`, [environment.keyToFill(poses[0])], [key_to_fill], 1e-3);
    close(`${path} direction`, environment.dominantDirection(), dominant_direction, 1e-4);
    const size = entries[`${path}/spheres`].shape[1];
    const wanted = array(`${path}/spheres`);
    SPHERES.forEach((kind, k) => {
      const bytes = environment.sphere(kind, size);
      const [shown, expected]: [number[], number[]] = [[], []];
      for (let i = 0; i < size * size; i++) {
        if (bytes[i * 4 + 3] < 255) continue;
        shown.push(...bytes.subarray(i * 4, i * 4 + 3));
        const linear = wanted.subarray((k * size * size + i) * 3).subarray(0, 3);
        expected.push(...[...linear].map((x) => Math.min(255, toSrgb(x) * 255)));
      }
      close(`${path} ${kind} sphere`, shown, expected, 1);
    });
  }
}

function sameLight(name: string, found: Placed, wanted: any): void {
  const numbers = (light: Light): number[] => [
    light.azimuth_deg,
    light.elevation_deg,
    light.intensity,
    ...light.color,
    light.softness_deg,
  ];
  close(name, numbers(found.light), numbers(wanted), 1e-3);
  checks += 1;
  if (found.reason === wanted.reason) return;
  failures += 1;
  console.log(`${name}: "${found.reason}" against "${wanted.reason}"`);
}

function checkLight(): void {
  const poses: Matrix[] = values["environment/head_poses"];
  const placed = values["light/place"].map((one: any, i: number) => {
    const environment = new Environment(raster(`environment/${one.environment}`));
    const pose = poses[one.head_pose];
    const [left, right] = environment.cheeks(pose);
    const mean = one.mean_irradiance ?? (left + right) / 2;
    const found = place(environment, pose, mean, one.headroom ?? Infinity, 5);
    sameLight(`light/place/${i}`, found, one.light);
    const both = [found.light, found.light];
    const after = keyToFillWith(environment, pose, both, 0.4);
    close(`light/key_to_fill/${i}`, [after], [one.key_to_fill_with], 1e-2);
    return found;
  });
  values["light/place_group"].forEach(({ cases, weights, light }: any, i: number) => {
    sameLight(`light/place_group/${i}`, placeGroup(cases.map((k: number) => placed[k]), weights), light);
  });
}

function sameMap(name: string, found: GainMap, tolerance: number): void {
  const { left, top, factor, rows, columns, every: step } = values[name];
  const { gain } = found;
  const place = [found.left, found.top, found.factor, gain.rows, gain.columns];
  close(`${name} place`, place, [left, top, factor, rows, columns], 0);
  matches(name, every(gain, step), tolerance);
}

function checkGuide(portrait: Pixels): void {
  const { top, left, rows, columns } = values["guide/photo"];
  const photo = part(portrait, top, left, rows, columns);
  const outlines: Outline[] = values["guide/crops"].map((crop: any, i: number) => ({
    crop: square(crop),
    person: raster(`guide/person/${i}`),
    face: raster(`guide/face/${i}`),
    confidence: raster(`guide/confidence/${i}`),
  }));
  const gains = [raster("guide/gain/0"), raster("guide/gain/1")];
  sameMap("guide/one", new Guide(photo, outlines.slice(0, 1)).fit(gains.slice(0, 1)), 0.005);
  sameMap("guide/two", new Guide(photo, outlines).fit(gains), 0.005);
}

/** A grey photo's gain is grey, whatever colour the network gives it. */
async function checkGrey(): Promise<void> {
  const answer: Networks = { run: async () => ({ gain: array("grey/network_gain") }) };
  const whole = new Raster(SIDE, SIDE, 1).map(() => 1);
  const normals = new Raster(SIDE, SIDE, 3).map(() => 3 ** -0.5);
  const environment = new Environment(raster("environment/uniform"));
  const light: Light = values["relight/placed"];
  for (const [k, level] of values["grey/levels"].entries()) {
    const photo = new Raster(SIDE, SIDE, 3).map(() => 0.5);
    photo.data[(40 * SIDE + 50) * 3] += level / 255;
    const mesh = { normals, depth: new Raster(SIDE, SIDE, 1), mask: whole };
    const view = { photo, finePhoto: photo, person: whole, mesh } as View;
    const gain = await keyGain(answer, gainInputs(view, normals, environment), light);
    matches(`grey/gain/${k}`, every(gain, values["grey/every"]), 1e-3);
  }
}

function checkShadow(): void {
  const mesh = {
    normals: raster("shadow/normals"),
    depth: raster("shadow/depth"),
    mask: raster("shadow/mask"),
  };
  values["shadow/lights"].forEach((light: Light, i: number) => {
    const found = unshadowed(mesh, towards(light), light.softness_deg * RADIAN);
    matches(`shadow/unshadowed/${i}`, found.data, 1e-3);
  });
}

function checkApply(): void {
  const [rows, columns] = entries["apply/photo"].shape;
  values["apply/cases"].forEach(({ factor, strength }: any, i: number) => {
    const photo = opaque(rows, columns, array("apply/photo"));
    const gain = raster(`apply/gain/${i}`).map((x) => x * strength);
    apply(photo, { left: 9, top: 7, factor, gain });
    matches(`apply/relit/${i}`, colours(photo), 0.05, 2);
  });
}

/** The networks as Python recorded them; the light's direction must be the one recorded. */
const recorded: Networks = {
  run: async (name, inputs): Promise<Record<string, Float32Array>> => {
    if (name === "normals") {
      return {
        normals: array("normals/normals"),
        confidence: array("normals/network_confidence"),
      };
    }
    if (name === "lighting") return { log_environment: array("lighting/log_environment") };
    matches("quotient/visibility", inputs.visibility, 0.005);
    matches("quotient/light", inputs.light, 1e-4);
    const shading = new Raster(SIDE, SIDE, 3, inputs.shading);
    matches("quotient/shading", every(shading, 2), 0.005);
    return { gain: array("quotient/gain") };
  },
};

async function checkRelight(portrait: Pixels): Promise<void> {
  const face = faceFrom(array("mesh/landmarks"), portrait.rows, portrait.columns);
  const crop = face.crop.extract(portrait, 256);
  if (crop === null) throw new Error("no crop");
  const person = raster("view/person_mask").map((x) => x / 255);
  const view = viewOf(crop, face, person);
  matches("view/photo", view.photo.data.map((x) => x * 255), 0.3, 2);
  matches("view/mesh_normals", view.mesh.normals.data, 0.005);
  matches("view/mesh_depth", view.mesh.depth.data, 0.05);
  matches("view/face", view.mesh.mask.data, 0.003);
  matches("view/inner_face", view.innerFace.data, 0.005);
  matches("view/skin", view.skin.data, 0.005);
  matches("view/person", view.person.data, 0.003);
  const analysis: Analysis = await analyzeView(recorded, face, view);
  matches("normals/confidence", analysis.confidence.data, 0.005);
  matches("lighting/environment", analysis.environment.data.data, 1e-4);
  close("mean irradiance", [analysis.meanIrradiance], [values["view/mean_irradiance"]], 0.003);
  close("headroom", [analysis.headroom], [values["view/headroom"]], 0.01);
  const placed = placeOn(analysis);
  close("placed", [placed.light.azimuth_deg], [values["relight/placed"].azimuth_deg], 0.1);
  const light: Light = values["relight/placed"];
  const gain = await keyGain(recorded, analysis.inputs, light);
  gain.data.forEach((value, i) => {
    gain.data[i] = value * light.intensity * light.color[i % 3];
  });
  matches("relight/added_gain", gain.data, 1e-4);
  await checkPortrait(portrait, analysis, light);
  const times: number = values["guide/enlarged"];
  const large = enlarged(portrait, times);
  const outline = { ...outlineOf(analysis), crop: face.crop.scaled(times) };
  sameMap("guide/large", new Guide(large, [outline]).fit([gain]), 0.003);
}

/** A photo looked at once: what changes with a light, and what costs no network. */
async function checkPortrait(photo: Pixels, analysis: Analysis, light: Light): Promise<void> {
  let runs = 0;
  const counted: Networks = {
    run: async () => {
      runs += 1;
      return { gain: array("quotient/gain") };
    },
  };
  const looked = new Portrait(counted, photo, [analysis]);
  const setup: Setup = { lights: [light], fill: 1, reason: "" };
  sameMap("relight/gain_map", await looked.change(setup), 0.003);
  close("runs for a light", [runs], [1], 0);
  const brighter = { ...light, intensity: light.intensity * 2, color: [1, 0.8, 0.6] as Vector };
  const untouched = await looked.render(setup, { strength: 0 });
  close("strength 0", untouched.rgba, photo.rgba, 0);
  await looked.render({ ...setup, lights: [brighter] });
  await looked.render({ ...setup, fill: 0.5 }, { strength: 0.3 });
  await looked.render(setup, { side: 200 });
  await looked.gain(light);
  close("runs for intensity, colour, fill, strength and size", [runs], [1], 0);
  await looked.render({ ...setup, lights: [light, { ...light, softness_deg: 20 }] });
  close("runs for another softness", [runs], [2], 0);
  for (let k = 1; k <= 9; k++) await looked.gain({ ...light, azimuth_deg: light.azimuth_deg + k });
  await looked.gain(light);
  close("runs after more lights than are kept", [runs], [12], 0);
}

/** Every pixel repeated in both directions. */
function enlarged(photo: Pixels, times: number): Pixels {
  const [rows, columns] = [photo.rows * times, photo.columns * times];
  const rgba = new Uint8ClampedArray(rows * columns * 4);
  for (let y = 0, k = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, k += 4) {
      const from = (Math.floor(y / times) * photo.columns + Math.floor(x / times)) * 4;
      rgba.set(photo.rgba.subarray(from, from + 4), k);
    }
  }
  return new Pixels(rows, columns, rgba);
}

const portrait = opaque(Number(rowsText), Number(columnsText), readFileSync(portraitFile));
checkColor();
checkGeometry(portrait);
checkFilter();
checkMesh(portrait);
checkShadow();
checkEnvironment();
checkLight();
checkGuide(portrait);
await checkGrey();
checkApply();
await checkRelight(portrait);
console.log(`${checks} checks, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;
