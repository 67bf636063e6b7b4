// SPDX-License-Identifier: Apache-2.0
/** Shadows that a face throws on itself: what the nose, the brow and the lips hide from a light. */
import { cast_shadow as constants } from "../constants.json";
import type { Vector } from "../geometry";
import type { Surface } from "../face/mesh";
import { clamp, Raster } from "../image/raster";

const { AHEAD, OUTSIDE, REACH, SHARPEST, STEPS } = constants;

/**
 * Share of a light that the face mesh leaves free to be seen from each of its points, 1 outside it:
 * its depth is followed towards the light up to its horizon (Max 1988).
 *
 * @param light unit vector towards it, camera frame.
 * @param radius of the light's disk, radians.
 */
export function unshadowed(mesh: Surface, [x, y, z]: Vector, radius: number): Raster {
  const { rows, columns, data: inside } = mesh.mask;
  const result = new Raster(rows, columns, 1);
  result.data.fill(1);
  const across = Math.hypot(x, y);
  if (across < AHEAD) return result;
  const depth = mesh.depth.data.map((value, i) => (inside[i] > 0 ? value : OUTSIDE));
  const at = (row: number, column: number): number =>
    row < 0 || row >= rows || column < 0 || column >= columns
      ? OUTSIDE
      : depth[row * columns + column];
  const stride = (REACH * rows) / STEPS;
  const ways = Array.from({ length: STEPS }, (_, step) => {
    const way = (step + 1) * stride;
    const [right, down] = [(way * x) / across, (-way * y) / across];
    const [left, top] = [Math.floor(right), Math.floor(down)];
    return { way, left, top, u: right - left, v: down - top };
  });
  const towards = Math.atan2(z, across);
  const soft = 2 * Math.max(radius, SHARPEST);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (inside[i] === 0) continue;
      let steepest = -Infinity;
      for (const { way, left, top, u, v } of ways) {
        const [r, c] = [row + top, column + left];
        const upper = at(r, c) * (1 - u) + at(r, c + 1) * u;
        const lower = at(r + 1, c) * (1 - u) + at(r + 1, c + 1) * u;
        steepest = Math.max(steepest, (upper * (1 - v) + lower * v - depth[i]) / way);
      }
      result.data[i] = clamp((towards - Math.atan(steepest)) / soft + 0.5, 0, 1);
    }
  }
  return result;
}
