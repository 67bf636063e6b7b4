// SPDX-License-Identifier: Apache-2.0
/**
 * Noise in the colours of dark places: light that is added does not lift it.
 *
 * Where a pixel's colour strays from those around by no more than noise does, part of the stray is
 * taken back, the more the more light is added; brightness keeps all of its detail.
 */
import { edge, grain as constants } from "../constants.json";
import { smoothstep } from "../geometry";
import { blur } from "../image/filter";
import { clamp, roundEven, type Pixels, type Raster } from "../image/raster";
import { grey } from "./edge";

const { APART, AROUND, CLEAN, DEVIATIONS, DIM, QUIETEST, ROWS, STRAY } = constants;
const { LUMA } = edge;

/** A photo's noise, on the cells of a gain. */
export interface Grain {
  /** Three channels in [0, 1], averaged over more than a blotch. */
  readonly colors: Raster;
  /** How far a cell is dark enough to be calmed, [0, 1]. */
  readonly dim: Raster;
  /** How far a colour strays by noise. */
  readonly most: number;
}

/** The noise of a photo on the cells that its colours are given on; null for a clean one. */
export function grainOf(photo: Pixels, colors: Raster, step: number): Grain | null {
  const most = (STRAY * Math.max(0, noise(photo) - CLEAN)) / 255;
  if (most === 0) return null;
  const smooth = blur(colors, 2 * Math.max(1, roundEven(AROUND / step)) + 1);
  const dim = grey(smooth).map((value) => 1 - smoothstep(value, DIM[0], DIM[1]));
  return { colors: smooth, dim, most };
}

/** Deviation of the differences between red, blue and green by noise, 8-bit levels. */
export function noise({ rows, columns, rgba }: Pixels): number {
  if (columns <= 2 * APART) return 0;
  const counts = new Float64Array(4 * 256 * 2);
  const darkest = Math.floor(4 * 255 * DIM[0]);
  const every = Math.max(1, Math.floor(rows / ROWS));
  let total = 0;
  for (let y = Math.floor(every / 2); y < rows; y += every) {
    for (let x = APART; x < columns - APART; x++) {
      const at = (y * columns + x) * 4;
      if (rgba[at] + 2 * rgba[at + 1] + rgba[at + 2] >= darkest) continue;
      for (const c of [0, 2]) {
        const difference = (k: number): number => rgba[k + c] - rgba[k + 1];
        const beside = difference(at - 4 * APART) + difference(at + 4 * APART);
        counts[Math.abs(2 * difference(at) - beside)] += 1;
        total += 1;
      }
    }
  }
  const wanted = total * QUIETEST;
  if (wanted === 0) return 0;
  let [last, below] = [0, counts[0]];
  while (below < wanted) below += counts[++last];
  // Whole numbers stand for what was rounded to them.
  const part = (wanted - (below - counts[last])) / counts[last];
  return (last === 0 ? 0.5 * part : last - 0.5 + part) / DEVIATIONS;
}

/** Part of a stray that is taken back on a cell under the mean of its encoded gains. */
export function shareOf(dim: number, lift: number): number {
  return dim * Math.max(1 - 1 / lift ** 2, 0);
}

/** Take back a share of how a pixel's colour strays from that around it, in place. */
export function calm(pixel: Float32Array, around: Float32Array, share: number, most: number): void {
  for (let c = 0; c < 3; c++) pixel[c] -= around[c];
  const straight = LUMA[0] * pixel[0] + LUMA[1] * pixel[1] + LUMA[2] * pixel[2];
  for (let c = 0; c < 3; c++) {
    const stray = pixel[c] - straight;
    const small = clamp(stray, -most, most);
    const noisy = small - clamp(stray - small, -most, most);
    pixel[c] = clamp(pixel[c] + around[c] - share * noisy, 0, 1);
  }
}
