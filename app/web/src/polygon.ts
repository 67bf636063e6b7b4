// SPDX-License-Identifier: Apache-2.0
/** Filling polygons: the inside, and every pixel that the outline touches. */
import { roundEven } from "./raster";

/** Corners are counted in this part of a pixel. */
const FINE = 16;

/** A corner, counted from the centre of pixel (0, 0). */
export type Corner = readonly [number, number];

/** From pixels, of which the first covers [0, 1), rounded to a sixteenth. */
export function corner(x: number, y: number): Corner {
  const fine = (value: number): number => roundEven((value - 0.5) * FINE) / FINE;
  return [fine(x), fine(y)];
}

/** Call `put` with the index of each pixel of a polygon, some more than once; even-odd. */
export function fillPolygon(
  corners: readonly Corner[],
  side: number,
  put: (index: number) => void,
): void {
  const nearest = (value: number): number => Math.floor(value + 0.5);
  corners.forEach((a, i) => {
    const b = corners[(i + 1) % corners.length];
    const reach = Math.max(Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1]), 1e-9);
    const steps = Math.floor(reach) + 1;
    for (let k = 0; k <= steps; k++) {
      const t = Math.min(1, k / reach);
      const row = nearest(a[1] + (b[1] - a[1]) * t);
      const column = nearest(a[0] + (b[0] - a[0]) * t);
      if (row >= 0 && row < side && column >= 0 && column < side) put(row * side + column);
    }
  });
  const heights = corners.map((point) => point[1]);
  const low = Math.max(0, nearest(Math.min(...heights)));
  const high = Math.min(side - 1, nearest(Math.max(...heights)));
  for (let row = low; row <= high; row++) {
    const found = crossings(corners, row);
    for (let k = 0; k + 1 < found.length; k += 2) {
      const last = Math.min(side - 1, nearest(found[k + 1]));
      for (let x = Math.max(0, nearest(found[k])); x <= last; x++) put(row * side + x);
    }
  }
}

/** Where the outline crosses a row's centre, from left to right. */
function crossings(corners: readonly Corner[], row: number): number[] {
  const found: number[] = [];
  corners.forEach((a, i) => {
    const b = corners[(i + 1) % corners.length];
    if (a[1] <= row !== b[1] <= row) {
      found.push(a[0] + ((b[0] - a[0]) * (row - a[1])) / (b[1] - a[1]));
    }
  });
  return found.sort((x, y) => x - y);
}
