// SPDX-License-Identifier: Apache-2.0
/**
 * Applying light: `Y = X (1 - (1 - f) w + sum_i k_i c_i G_i)` in linear light, with a highlight
 * shoulder.
 *
 * The compositor's shader is the same formula, but for noise, which a screen's size hides; this one
 * serves full resolution.
 */
import { encodedGain, OFFSET } from "../color";
import { apply as constants, cell } from "../constants.json";
import { clamp, type Pixels, Raster } from "../image/raster";
import { calm, shareOf, type Grain } from "./grain";

const { CEILING, KNEE, TINY } = constants;
export const { LIFT } = cell;

/** Gain on cells over part of a photo, zero elsewhere. */
export interface GainMap {
  readonly left: number;
  readonly top: number;
  /** Pixels of the photo per cell. */
  readonly factor: number;
  readonly gain: Raster;
}

/** How the light of a photo changes, on the cells of a gain. */
export interface Change extends GainMap {
  /** What is added, three channels, over what is there. */
  readonly gain: Raster;
  /** Share of the light already there that is taken away, one channel; null if none is. */
  readonly dimming: Raster | null;
}

/**
 * Change a photo's light in place; alpha stays.
 *
 * A pixel whose light does not change keeps its value exactly; none grows more than threefold, and
 * highlights bend short of white.
 *
 * @param grain the photo's noise on the same cells: in colour it is not lifted with the rest.
 */
export function apply(photo: Pixels, change: Change, grain: Grain | null = null): void {
  const { factor, left, top } = change;
  const cells = factors(change, grain);
  const { channels, columns } = cells;
  const [dims, calms] = [change.dimming !== null, change.dimming === null ? 6 : 8];
  const line = new Float32Array(columns * channels);
  const at = new Float32Array(channels);
  const bottom = Math.min(photo.rows, top + cells.rows * factor);
  const right = Math.min(photo.columns, left + columns * factor);
  const [before, after] = [new Float32Array(3), new Float32Array(3)];
  const [own, around] = [new Float32Array(3), new Float32Array(3)];
  for (let y = top; y < bottom; y++) {
    blendRows(cells, (y - top + 0.5) / factor - 0.5, line);
    for (let x = left; x < right; x++) {
      const u = (x - left + 0.5) / factor - 0.5;
      const floor = Math.floor(u);
      const a = clamp(floor, 0, columns - 1) * channels;
      const b = clamp(floor + 1, 0, columns - 1) * channels;
      const t = u - floor;
      let isChanged = false;
      for (let c = 0; c < channels; c++) {
        at[c] = line[a + c] + (line[b + c] - line[a + c]) * t;
        isChanged ||= c < calms && at[c] !== 1;
      }
      if (!isChanged) continue;
      const pixel = (y * photo.columns + x) * 4;
      for (let c = 0; c < 3; c++) own[c] = photo.rgba[pixel + c] / 255;
      if (grain !== null && at[calms] > 0) {
        around.set(at.subarray(calms + 1));
        calm(own, around, at[calms], grain.most);
      }
      for (let c = 0; c < 3; c++) {
        before[c] = dims ? scaled(own[c], at[6], at[7]) : own[c];
        after[c] = scaled(own[c], at[c], at[3 + c]);
      }
      bend(before, after);
      for (let c = 0; c < 3; c++) photo.rgba[pixel + c] = Math.floor(after[c] * 255 + 0.5);
    }
  }
}

/**
 * Factors of each cell: of linear light by colour, then of encoded values; both of what stays of the
 * light already there, if some is taken away; and how far noise is taken back, and towards what
 * colour, if there is any.
 */
function factors({ gain, dimming }: Change, grain: Grain | null): Raster {
  const calms = dimming === null ? 6 : 8;
  const channels = calms + (grain === null ? 0 : 4);
  const result = new Raster(gain.rows, gain.columns, channels);
  for (let i = 0, k = 0; k < result.data.length; i++, k += channels) {
    const kept = dimming === null ? 1 : 1 - dimming.data[i];
    for (let c = 0; c < 3; c++) {
      const factor = Math.min(kept + gain.data[i * 3 + c], LIFT);
      result.data[k + c] = factor;
      result.data[k + 3 + c] = encodedGain(factor);
    }
    if (dimming !== null) {
      result.data[k + 6] = kept;
      result.data[k + 7] = encodedGain(kept);
    }
    if (grain === null) continue;
    const [r, g, b] = result.data.subarray(k + 3, k + 6);
    result.data[k + calms] = shareOf(grain.dim.data[i], (r + g + b) / 3);
    result.data.set(grain.colors.data.subarray(i * 3, i * 3 + 3), k + calms + 1);
  }
  return result;
}

/** An encoded value whose light is multiplied; `encoded` is the factor's encoded gain. */
export function scaled(value: number, factor: number, encoded: number): number {
  const [straight, curved] = [value * factor, (value + OFFSET) * encoded - OFFSET];
  return factor >= 1 ? Math.min(straight, curved) : Math.max(straight, curved);
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

/** Compress a pixel above the knee; `before` is what it was without the lights. */
export function bend(before: Float32Array, pixel: Float32Array): void {
  const peak = Math.max(pixel[0], pixel[1], pixel[2]);
  if (peak <= KNEE) return;
  const knee = Math.max(before[0], before[1], before[2], KNEE);
  const over = Math.max(peak - knee, 0);
  const room = Math.max(CEILING - knee, 0);
  const bent = Math.min(peak, knee) + (room * over) / (over + room + TINY);
  for (let c = 0; c < 3; c++) {
    pixel[c] = Math.max(pixel[c] * (bent / peak), before[c]); // light never darkens
  }
}
