// SPDX-License-Identifier: Apache-2.0
/** Gains fitted to edges and applied, against Python. */
import { Environment } from "../src/environment";
import { POINTS } from "../src/face/mesh";
import { brighterLeft, mirror } from "../src/face/mirror";
import { apply, type GainMap } from "../src/gain/apply";
import { grainOf, noise } from "../src/gain/grain";
import { Guide, noticeable, type FaceGain, type Outline } from "../src/gain/guide";
import { bodyCrop } from "../src/gain/reach";
import { Pixels, Raster } from "../src/image/raster";
import type { Light } from "../src/light";
import { gainInputs, keyGain, type Networks } from "../src/stage/stages";
import { SIDE, type View } from "../src/stage/view";
import { colours, every, opaque, part } from "./picture";
import { array, close, entries, matches, raster, square, values } from "./vector";

export function sameMap(name: string, found: GainMap, tolerance: number): void {
  const { left, top, factor, rows, columns, every: step } = values[name];
  const { gain } = found;
  const place = [found.left, found.top, found.factor, gain.rows, gain.columns];
  close(`${name} place`, place, [left, top, factor, rows, columns], 0);
  matches(name, every(gain, step), tolerance);
}

export function fitted(guide: Guide, gains: FaceGain[]): GainMap {
  const { left, top, step } = guide.grid;
  return { left, top, factor: step, gain: noticeable(guide.fit(gains)) };
}

export function checkGuide(portrait: Pixels): void {
  const { top, left, rows, columns } = values["guide/photo"];
  const photo = part(portrait, top, left, rows, columns);
  const outlines: Outline[] = values["guide/crops"].map((crop: any, i: number) => ({
    crop: square(crop),
    person: raster(`guide/person/${i}`),
    face: raster(`guide/face/${i}`),
    confidence: raster(`guide/confidence/${i}`),
    body: null,
  }));
  const gains: FaceGain[] = [0, 1].map((i) => ({ head: raster(`guide/gain/${i}`), body: null }));
  sameMap("guide/one", fitted(new Guide(photo, outlines.slice(0, 1)), gains.slice(0, 1)), 1e-4);
  sameMap("guide/two", fitted(new Guide(photo, outlines), gains), 1e-4);
  const wider = bodyCrop(outlines[1].crop, photo);
  const wanted = square(values["guide/wider"]);
  if (wider === null) throw new Error("no square around the body");
  close("guide/wider", [wider.x, wider.y, wider.size], [wanted.x, wanted.y, wanted.size], 1e-9);
  const body = {
    crop: wider,
    person: raster("guide/wider/person"),
    confidence: raster("guide/wider/confidence"),
  };
  const both = new Guide(photo, [outlines[0], { ...outlines[1], body }]);
  const around = { ...gains[1], body: raster("guide/wider/gain") };
  sameMap("guide/body", fitted(both, [gains[0], around]), 1e-4);
  matches("guide/body/person", every(both.people, 3), 1e-4);
  matches("guide/body/taken", every(both.taken(values["guide/body/shares"]), 3), 1e-4);
}

/** A grey photo's gain is grey, whatever colour the network finds. */
export async function checkGrey(): Promise<void> {
  const answer: Networks = {
    run: async () => ({ log_shading: array("grey/log_shading"), key: array("grey/key") }),
  };
  const whole = new Raster(SIDE, SIDE, 1).map(() => 1);
  const normals = new Raster(SIDE, SIDE, 3).map((_, i) => (i % 3 === 2 ? 1 : 0));
  const environment = new Environment(raster("environment/uniform"));
  const light: Light = { ...values["relight/placed"], azimuth_deg: 30, elevation_deg: 20 };
  const landmarks = new Float32Array(POINTS * 3);
  for (const [k, level] of values["grey/levels"].entries()) {
    const photo = new Raster(SIDE, SIDE, 3).map(() => 128 / 255);
    photo.data[(40 * SIDE + 50) * 3] += level / 255;
    const mesh = { normals, depth: new Raster(SIDE, SIDE, 1), mask: whole };
    const isMirrored = brighterLeft(Pixels.rounded(photo.map((value) => value * 255)));
    const images = mirror(landmarks, SIDE);
    const known = { landmarks, images, isMirrored };
    const seen = { photo, finePhoto: photo, person: whole, skin: whole, mesh, ...known };
    const view = seen as View;
    const gain = await keyGain(answer, await gainInputs(answer, view, normals, environment, 0), light);
    matches(`grey/gain/${k}`, every(gain, values["grey/every"]), 2e-5); // of about 5, in single precision
  }
}

export function checkApply(): void {
  const [rows, columns] = entries["apply/photo"].shape;
  values["apply/cases"].forEach(({ factor, strength, fill }: any, i: number) => {
    const photo = opaque(rows, columns, array("apply/photo"));
    const gain = raster(`apply/gain/${i}`).map((x) => x * strength);
    const taken = Math.min(strength, 1) * (1 - fill);
    const dimming = taken > 0 ? raster(`apply/person/${i}`).map((x) => x * taken) : null;
    apply(photo, { left: 9, top: 7, factor, gain, dimming });
    matches(`apply/relit/${i}`, colours(photo), 0.01, 1);
  });
  checkGrain();
}

/** A dark, noisy photo: how much noise it has, and light that does not lift it. */
function checkGrain(): void {
  const [rows, columns] = entries["grain/photo"].shape;
  const fill: number = values["grain/fill"];
  for (const step of values["grain/steps"]) {
    const photo = opaque(rows, columns, array("grain/photo"));
    close("noise", [noise(photo)], [values["grain/noise"]], 1e-6);
    const grain = grainOf(photo, raster(`grain/cells/${step}`), step);
    if (grain === null) throw new Error("no noise");
    matches(`grain/colors/${step}`, grain.colors.data, 1e-5);
    matches(`grain/dim/${step}`, grain.dim.data, 1e-5);
    const gain = raster(`grain/gain/${step}`);
    const dimming = raster(`grain/person/${step}`).map((x) => x * (1 - fill));
    const part = { left: 0, top: 0, factor: step, gain };
    apply(photo, { ...part, dimming }, grain);
    matches(`grain/relit/${step}`, colours(photo), 0.01, 1);
    const undimmed = opaque(rows, columns, array("grain/photo"));
    apply(undimmed, { ...part, dimming: null }, grain);
    matches(`grain/lit/${step}`, colours(undimmed), 0.01, 1);
  }
}
