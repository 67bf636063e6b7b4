// SPDX-License-Identifier: Apache-2.0
/** Filling polygons: the inside, and every pixel that the outline touches. */
import { mesh } from "../constants.json";
import { roundEven } from "./raster";

/** Corners are counted in this part of a pixel. */
const FINE = 2 ** mesh.FINENESS;

/** A corner, counted from the centre of pixel (0, 0). */
export type Corner = readonly [number, number];

/** From pixels, of which the first covers [0, 1), rounded to a sixteenth. */
export function corner(x: number, y: number): Corner {
  const fine = (value: number): number => roundEven((value - 0.5) * FINE) / FINE;
  return [fine(x), fine(y)];
}

const nearest = (value: number): number => Math.floor(value + 0.5);

/** Call `put` with the index of each pixel of a polygon, some more than once; even-odd. */
export function fillPolygon(
  corners: readonly Corner[],
  side: number,
  put: (index: number) => void,
): void {
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

/**
 * The same as OpenCV's fillPoly has it, to the pixel: corners lie on whole rows, the outline is
 * drawn by Bresenham's algorithm between whole pixels.
 */
export function fillRegion(
  corners: readonly Corner[],
  side: number,
  put: (index: number) => void,
): void {
  const whole = corners.map(([x, y]): Corner => [x, nearest(y)]);
  whole.forEach((a, i) => {
    for (const [row, column] of line(a, whole[(i + 1) % whole.length])) {
      if (row >= 0 && row < side && column >= 0 && column < side) put(row * side + column);
    }
  });
  const rows = whole.map((point) => point[1]);
  const last = Math.min(side - 1, Math.max(...rows));
  for (let row = Math.max(0, Math.min(...rows)); row <= last; row++) {
    const found = crossings(whole, row);
    for (let k = 0; k + 1 < found.length; k += 2) {
      const end = Math.min(side - 1, Math.floor(found[k + 1]));
      for (let x = Math.max(0, Math.ceil(found[k])); x <= end; x++) put(row * side + x);
    }
  }
}

/** Rows and columns of a line between the pixels nearest to two corners, from left to right. */
function line(a: Corner, b: Corner): [number, number][] {
  const [left, right] = nearest(a[0]) <= nearest(b[0]) ? [a, b] : [b, a];
  let [row, column] = [nearest(left[1]), nearest(left[0])];
  const [rows, columns] = [nearest(right[1]) - row, nearest(right[0]) - column];
  const down = rows < 0 ? -1 : 1;
  const steep = Math.abs(rows) > columns;
  const long = Math.max(Math.abs(rows), columns);
  const short = Math.min(Math.abs(rows), columns);
  const found: [number, number][] = [];
  for (let k = 0, error = long - 2 * short; k <= long; k++) {
    found.push([row, column]);
    if (error < 0) {
      if (steep) column++;
      else row += down;
      error += 2 * long;
    }
    error -= 2 * short;
    if (steep) row += down;
    else column++;
  }
  return found;
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
