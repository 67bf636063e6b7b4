// SPDX-License-Identifier: Apache-2.0
/** Filling polygons: the inside, and every pixel that the outline touches. */
import { mesh } from "../constants.json";
import { roundEven } from "./raster";

/** Corners are counted in this part of a pixel. */
const FINE = 2 ** mesh.FINENESS;
/** Edges are followed in this part of one, as OpenCV does. */
const STEP = 2 ** 16;

/** A corner, counted from the centre of pixel (0, 0). */
export type Corner = readonly [number, number];

/** From pixels in single precision, of which the first covers [0, 1), rounded to a sixteenth. */
export function corner(x: number, y: number): Corner {
  const fine = (value: number): number => roundEven(Math.fround(value - 0.5) * FINE) / FINE;
  return [fine(x), fine(y)];
}

const nearest = (value: number): number => Math.floor(value + 0.5);

/**
 * Call `put` with the index of each pixel of a convex polygon, some more than once: its inside and
 * what its outline touches, to the pixel as OpenCV's fillConvexPoly has it.
 */
export function fillConvex(
  corners: readonly Corner[],
  side: number,
  put: (index: number) => void,
): void {
  corners.forEach((to, i) => {
    strokeLine(corners[(i + corners.length - 1) % corners.length], to, side, put);
  });
  const rows = corners.map((point) => nearest(point[1]));
  const heights = corners.map((point) => point[1]);
  const first = heights.indexOf(Math.min(...heights));
  const last = Math.min(Math.max(...rows), side - 1);
  // Both ways down from the uppermost corner; each step follows the next edge that goes down.
  const ways = [1, corners.length - 1].map((turn) => ({ turn, at: first, until: rows[first], x: -STEP, step: 0 }));
  let edges = corners.length;
  for (let row = rows[first]; row <= last; row++) {
    for (const way of ways) {
      if (row < way.until) continue;
      let from = way.at;
      let to = (from + way.turn) % corners.length;
      while (edges-- > 0) {
        if (rows[to] > row) {
          const [start, end] = [corners[from][0] * STEP, corners[to][0] * STEP];
          const down = rows[to] - row;
          way.step = Math.trunc(((end - start) * 2 + down) / (2 * down));
          way.x = start;
          way.until = rows[to];
          way.at = to;
          break;
        }
        from = to;
        to = (to + way.turn) % corners.length;
      }
    }
    if (edges < 0) break;
    const [a, b] = ways.map((way) => Math.floor((way.x + STEP / 2) / STEP));
    if (row >= 0) {
      const right = Math.min(Math.max(a, b), side - 1);
      for (let x = Math.max(Math.min(a, b), 0); x <= right; x++) put(row * side + x);
    }
    for (const way of ways) way.x += way.step;
  }
}

/** Pixels of a line between two corners, one a row or one a column, whichever are more. */
function strokeLine(a: Corner, b: Corner, side: number, put: (index: number) => void): void {
  const clipped = clip(
    a.map((value) => value * STEP),
    b.map((value) => value * STEP),
    side * STEP - 1,
  );
  if (clipped === null) return;
  const along = Math.abs(clipped[1][0] - clipped[0][0]) > Math.abs(clipped[1][1] - clipped[0][1]) ? 0 : 1;
  const [from, to] =
    clipped[1][along] < clipped[0][along] ? [clipped[1], clipped[0]] : clipped;
  const length = to[along] - from[along];
  const slope = Math.trunc(((to[1 - along] - from[1 - along]) * STEP) / (length % 2 === 0 ? length + 1 : length));
  const mark = (main: number, other: number): void => {
    const [x, y] = along === 0 ? [main, other] : [other, main];
    if (x >= 0 && x < side && y >= 0 && y < side) put(y * side + x);
  };
  const pixel = (value: number): number => Math.floor(value / STEP);
  mark(pixel(to[along] + STEP / 2), pixel(to[1 - along] + STEP / 2));
  const start = pixel(from[along] + STEP / 2);
  for (let k = 0; k <= pixel(length); k++) {
    mark(start + k, pixel(from[1 - along] + STEP / 2 + k * slope));
  }
}

/** The part of a line between 0 and `last` on both axes, or null. */
function clip(a: number[], b: number[], last: number): [number[], number[]] | null {
  const [from, to] = [[...a], [...b]];
  const beyond = (point: number[], axis: number): number =>
    point[axis] < 0 ? -1 : point[axis] > last ? 1 : 0;
  for (const axis of [1, 0]) {
    const [one, two] = [beyond(from, axis), beyond(to, axis)];
    if (one !== 0 && one === two) return null;
    for (const point of [from, to]) {
      const side = beyond(point, axis);
      if (side === 0) continue;
      const border = side < 0 ? 0 : last;
      const share = ((border - point[axis]) * (to[1 - axis] - from[1 - axis])) / (to[axis] - from[axis]);
      point[1 - axis] += Math.trunc(share);
      point[axis] = border;
    }
  }
  return beyond(from, 0) || beyond(to, 0) || beyond(from, 1) || beyond(to, 1) ? null : [from, to];
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
