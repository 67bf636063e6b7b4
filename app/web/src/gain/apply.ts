// SPDX-License-Identifier: Apache-2.0
/**
 * Applying the key gain: `Y = X (1 + sum_i k_i c_i G_i)` in linear light, with a highlight shoulder.
 *
 * The compositor's shader is the same formula; this one serves full resolution.
 */
import { encodedGain, OFFSET } from "../color";
import { apply as constants } from "../constants.json";
import { clamp, Pixels, Raster } from "../image/raster";

const { KNEE, PALING } = constants;

/** Gain on cells over part of a photo, zero elsewhere. */
export interface GainMap {
  readonly left: number;
  readonly top: number;
  /** Pixels of the photo per cell. */
  readonly factor: number;
  readonly gain: Raster;
}

/**
 * Multiply a photo by `1 + added` in linear light, in place; alpha stays.
 *
 * A pixel whose gain is 0 keeps its value exactly; highlights bend towards white.
 */
export function apply(photo: Pixels, added: GainMap): void {
  const { gain, factor, left, top } = added;
  const linear = gain.map((value) => 1 + value);
  const encoded = linear.map(encodedGain);
  const width = gain.columns * 3;
  const lines = { linear: new Float32Array(width), encoded: new Float32Array(width) };
  const bottom = Math.min(photo.rows, top + gain.rows * factor);
  const right = Math.min(photo.columns, left + gain.columns * factor);
  const pixel = new Float32Array(3);
  for (let y = top; y < bottom; y++) {
    const v = (y - top + 0.5) / factor - 0.5;
    blendRows(linear, v, lines.linear);
    blendRows(encoded, v, lines.encoded);
    for (let x = left; x < right; x++) {
      const u = (x - left + 0.5) / factor - 0.5;
      const floor = Math.floor(u);
      const a = clamp(floor, 0, gain.columns - 1) * 3;
      const b = clamp(floor + 1, 0, gain.columns - 1) * 3;
      const t = u - floor;
      const at = (y * photo.columns + x) * 4;
      let lit = false;
      for (let c = 0; c < 3; c++) {
        const g = lines.linear[a + c] + (lines.linear[b + c] - lines.linear[a + c]) * t;
        const h = lines.encoded[a + c] + (lines.encoded[b + c] - lines.encoded[a + c]) * t;
        const before = photo.rgba[at + c] / 255;
        lit ||= g > 1;
        pixel[c] = Math.min(before * g, (before + OFFSET) * h - OFFSET);
      }
      if (!lit) continue;
      bend(photo.rgba, at, pixel);
      for (let c = 0; c < 3; c++) photo.rgba[at + c] = Math.floor(pixel[c] * 255 + 0.5);
    }
  }
}

/** A row between two of a raster's, bilinear, edges repeated. */
function blendRows(image: Raster, v: number, into: Float32Array): void {
  const floor = Math.floor(v);
  const width = into.length;
  const a = clamp(floor, 0, image.rows - 1) * width;
  const b = clamp(floor + 1, 0, image.rows - 1) * width;
  const t = v - floor;
  for (let i = 0; i < width; i++) {
    into[i] = image.data[a + i] + (image.data[b + i] - image.data[a + i]) * t;
  }
}

/** Compress a pixel above the knee; `rgba[at...]` is what it was, in bytes. */
function bend(rgba: Uint8ClampedArray, at: number, pixel: Float32Array): void {
  const peak = Math.max(pixel[0], pixel[1], pixel[2]);
  if (peak <= KNEE) return;
  const brightest = Math.max(rgba[at], rgba[at + 1], rgba[at + 2]) / 255;
  const knee = Math.max(brightest, KNEE);
  const over = Math.max(peak - knee, 0);
  const room = 1 - knee;
  const pressed = over / (over + room + 1e-6); // 0 at the knee, towards 1 far above it
  const bent = Math.min(peak, knee) + room * pressed;
  const paling = (PALING * over) / (over + 1 - KNEE);
  for (let c = 0; c < 3; c++) {
    const after = pixel[c] * (bent / peak);
    pixel[c] = Math.max(after + (bent - after) * paling, rgba[at + c] / 255); // light never darkens
  }
}
