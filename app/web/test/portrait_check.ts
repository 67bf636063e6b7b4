// SPDX-License-Identifier: Apache-2.0
/** A photo looked at and relit, the networks as Python recorded them. */
import { faceFrom, type Face } from "../src/face/face";
import { Guide, scaledOutline } from "../src/gain/guide";
import { bodyCrop } from "../src/gain/reach";
import type { Vector } from "../src/geometry";
import { Pixels, Raster } from "../src/image/raster";
import type { Light } from "../src/light";
import { Portrait } from "../src/portrait";
import type { Setup } from "../src/setup";
import { analyzeView, faceGain, outlineOf, type Analysis } from "../src/stage/analysis";
import { withinPhoto, type Body } from "../src/stage/body";
import type { Look } from "../src/stage/silhouette";
import type { Networks } from "../src/stage/stages";
import { SIDE, viewOf } from "../src/stage/view";
import { fitted, sameMap } from "./gain_check";
import { every } from "./picture";
import { checkPlacement } from "./placement_check";
import { array, close, matches, raster, values } from "./vector";

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
    if (name === "shading") {
      for (const part of ["normals", "shading", "mirrored"] as const) {
        const told = new Raster(SIDE, SIDE, inputs[part].length / SIDE ** 2, inputs[part]);
        matches(`shading/${part}`, every(told, 2), 2e-6);
      }
      close("belief", inputs.belief, [values["shading/belief"]], 1e-5);
      return { log_shading: array("shading/log_shading") };
    }
    matches("key/unshadowed", inputs.unshadowed, 1e-6);
    matches("key/light", inputs.light, 1e-6);
    return { key: array("key/key") };
  },
};

/** What is seen below a face, the person there known. */
export function knownBelow(person: Raster, photo: Pixels, { crop }: Face): Look | null {
  const wider = bodyCrop(crop, photo);
  const seen = wider && wider.extract(photo, person.rows);
  if (wider === null || seen === null) return null;
  return { crop: wider, photo: seen.toRaster(), person: withinPhoto(person, wider, photo) };
}

export async function checkRelight(portrait: Pixels): Promise<void> {
  const face = faceFrom(array("mesh/landmarks"), portrait.rows, portrait.columns);
  const crop = face.crop.extract(portrait, 256);
  if (crop === null) throw new Error("no crop");
  const person = raster("view/person_mask").map((x) => x / 255);
  const view = viewOf(crop, face, person);
  matches("view/photo", view.photo.data.map((x) => x * 255), 0.01, 1);
  matches("view/mesh_normals", view.mesh.normals.data, 1e-5);
  matches("view/mesh_depth", view.mesh.depth.data, 1e-3);
  matches("view/face", view.mesh.mask.data, 0);
  matches("view/inner_face", view.innerFace.data, 1e-6);
  matches("view/skin", view.skin.data, 1e-6);
  matches("view/person", view.person.data, 1e-6);
  const around = raster("view/body_mask").map((x) => x / 255);
  const below = knownBelow(around, portrait, face);
  const analysis: Analysis = await analyzeView(recorded, face, view, below);
  matches("view/silhouette", every(analysis.person, 2), 1e-4);
  matches("normals/confidence", analysis.confidence.data, 1e-6);
  matches("lighting/environment", analysis.cropEnvironment.data.data, 1e-6);
  close("mean irradiance", [analysis.meanIrradiance], [values["view/mean_irradiance"]], 1e-4);
  await checkPlacement(analysis);
  const light: Light = values["relight/placed"];
  const { head, body } = await faceGain(recorded, analysis, light);
  if (body === null) throw new Error("no body");
  checkBody(analysis.body, body);
  const lit = (gain: Raster): Raster =>
    gain.map((value, i) => value * light.intensity * light.color[i % 3]);
  const gain = { head: lit(head), body: lit(body) };
  matches("relight/added_gain", gain.head.data, 2e-6); // a pixel of the crop may differ by a level
  await checkPortrait(portrait, analysis, light);
  const times: number = values["guide/enlarged"];
  const large = enlarged(portrait, times);
  const outline = scaledOutline(outlineOf(analysis), times);
  sameMap("guide/large", fitted(new Guide(large, [outline]), [gain]), 1e-5);
}

/** The body below the face: its shape, the light on it, and a key's gain there. */
function checkBody(body: Body | null, gain: Raster): void {
  if (body === null) throw new Error("no body");
  matches("body/person", every(body.person, 2), 1e-4);
  for (const part of ["normals", "existing", "trust", "meeting", "share"] as const) {
    matches(`body/${part}`, every(body[part], 2), 1e-5);
  }
  matches("body/gain", every(gain, 2), 1e-5);
}

/** A photo looked at once: what changes with a light, and what costs no network. */
async function checkPortrait(photo: Pixels, analysis: Analysis, light: Light): Promise<void> {
  let runs = 0;
  const counted: Networks = {
    run: async () => {
      runs += 1;
      return { key: array("key/key") };
    },
  };
  const looked = new Portrait(counted, photo, [analysis]);
  const setup: Setup = { lights: [light], fill: 1, reason: [] };
  sameMap("relight/gain_map", await looked.change(setup), 1e-5);
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
  await looked.render({ ...setup, lights: [{ ...light, gloss: 0 }] });
  close("runs for another gloss", [runs], [3], 0);
  for (let k = 1; k <= 33; k++) await looked.gain({ ...light, azimuth_deg: light.azimuth_deg + k });
  await looked.gain(light);
  close("runs after more lights than are kept", [runs], [37], 0);
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
