// SPDX-License-Identifier: Apache-2.0
/** Tones raised for the networks' eyes only, where a photo or a face is dark. */
import { tone as constants } from "../constants.json";
import { clamp } from "../image/raster";

const { FACE_LEVEL, LEAST_POWER, PHOTO_POWER, RIM, WHITE_SHARE, WHITEST } = constants;

/** Changes what a network sees: a square of three channels, numbers from 0 to 255. */
export type Tones = (seen: Float32Array) => Float32Array;

/** Raise the tones of a dark face, or of a half dark one. */
export function lifted(seen: Float32Array): Float32Array {
  const side = Math.round(Math.sqrt(seen.length / 3));
  const rim = Math.floor(side / RIM);
  const inner = side - 2 * rim;
  const brightest = Float32Array.from({ length: inner * inner }, (_, i) => {
    const at = ((rim + Math.floor(i / inner)) * side + rim + (i % inner)) * 3;
    return Math.max(seen[at], seen[at + 1], seen[at + 2]);
  }).sort();
  const level = clamp(brightest[Math.floor(brightest.length / 2)], 1, 254) / 255;
  const power = clamp(Math.log(FACE_LEVEL) / Math.log(level), LEAST_POWER, 1);
  return power === 1 ? seen : seen.map((value) => (value / 255) ** power * 255);
}

/** Stretch a dark photo's tones. */
export function brightened(seen: Float32Array): Float32Array {
  const sorted = seen.slice().sort();
  const white = clamp(sorted[Math.floor(WHITE_SHARE * (seen.length - 1))], 1, WHITEST);
  return seen.map((value) => clamp(value / white, 0, 1) ** PHOTO_POWER * 255);
}
