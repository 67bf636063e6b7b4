// SPDX-License-Identifier: Apache-2.0
/** The light on a reference portrait, told so that it can be set up for another one. */
import { linearized, luminance } from "../color";
import { analysis as seen, cheek as least, likeness as constants } from "../constants.json";
import { angles, RADIAN, times, transposed, type Vector } from "../geometry";
import { clamp } from "../image/raster";
import type { Analysis } from "../stage/analysis";
import { ratioOf, read } from "./reading";

const { ASIDE_DEG, BEHIND_DEG, COPIED, RATIOS, SIDED, TINTS } = constants;
const { DARKEST } = least;
const { SKIN } = seen;

/** A portrait's light: its key as the head sees it, the ratio on the cheeks, its skin's colour. */
export interface Likeness {
  /** From the nose, > 0 to image right. */
  readonly azimuth_deg: number;
  /** Above the eyes. */
  readonly elevation_deg: number;
  readonly ratio: number;
  /** Linear, of luminance 1. */
  readonly skin: Vector;
}

/** Read a reference's light off one face. */
export function likeness(analysis: Analysis): Likeness {
  const reading = read(analysis);
  const towards = analysis.cropEnvironment.dominantDirection();
  const [azimuth, elevation] = angles(times(transposed(analysis.face.cropPose), towards));
  // The cheeks know the side better than the estimated light does.
  const side = reading.right > reading.left ? 1 : -1;
  const ratio = ratioOf(reading);
  const aside = Math.max(Math.abs(azimuth / RADIAN), ratio >= SIDED ? ASIDE_DEG : 0);
  return {
    azimuth_deg: side * Math.min(aside, BEHIND_DEG),
    elevation_deg: elevation / RADIAN,
    ratio: clamp(ratio, RATIOS[0], RATIOS[1]),
    skin: skinColor(analysis),
  };
}

/** Colour of a light that gives a face's skin some of a reference's tint, as bright as white. */
export function tint({ skin }: Likeness, analysis: Analysis): Vector {
  const own = skinColor(analysis);
  const part = (c: number): number => (skin[c] / Math.max(own[c], DARKEST)) ** COPIED;
  const [red, green, blue] = [part(0), part(1), part(2)];
  const level = luminance(red, green, blue);
  const limited = (value: number): number => clamp(value / level, TINTS[0], TINTS[1]);
  return [limited(red), limited(green), limited(blue)];
}

/** Mean colour of a face's skin, linear, of luminance 1. */
function skinColor({ view }: Analysis): Vector {
  const linear = linearized(view.photo).data;
  const plain = view.skin.map((trust) => (trust > SKIN ? 1 : 0)).data;
  const mask = plain.some((inside) => inside > 0) ? plain : view.mesh.mask.data;
  const total = [0, 0, 0];
  mask.forEach((inside, i) => {
    if (inside > 0) for (let c = 0; c < 3; c++) total[c] += linear[i * 3 + c];
  });
  const count = mask.reduce((sum, inside) => sum + (inside > 0 ? 1 : 0), 0);
  const [red, green, blue] = total.map((value) => value / count);
  const level = Math.max(luminance(red, green, blue), DARKEST);
  return [red / level, green / level, blue / level];
}
