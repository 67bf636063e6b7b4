// SPDX-License-Identifier: Apache-2.0
/** The sRGB transfer function and luminance. Reference: IEC 61966-2-1:1999 (sRGB). */
import { color } from "./constants.json";
import { Raster } from "./image/raster";

export const { GAMMA, OFFSET, LUMINANCE } = color;

/** Encoded value in [0, 1] to linear light; above 1 the power law goes on. */
export function toLinear(encoded: number): number {
  const x = Math.max(encoded, 0);
  return x <= color.ENCODED_LIMIT ? x / color.SLOPE : ((x + OFFSET) / color.SCALE) ** GAMMA;
}

/** Linear light to sRGB. */
export function toSrgb(linear: number): number {
  const x = Math.max(linear, 0);
  return x <= color.LINEAR_LIMIT ? x * color.SLOPE : color.SCALE * x ** (1 / GAMMA) - OFFSET;
}

export function linearized(encoded: Raster): Raster {
  return encoded.map(toLinear);
}

/** Relative luminance of linear sRGB. */
export function luminance(red: number, green: number, blue: number): number {
  return red * LUMINANCE[0] + green * LUMINANCE[1] + blue * LUMINANCE[2];
}

/** The factor that multiplies encoded values (shifted by OFFSET) as `gain` multiplies light. */
export function encodedGain(gain: number): number {
  return gain ** (1 / GAMMA);
}
