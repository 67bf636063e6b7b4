// SPDX-License-Identifier: Apache-2.0
/**
 * Smoothing over time: still where nothing moves, at once where something does.
 *
 * Reference: Casiez et al. 2012, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input
 * in Interactive Systems".
 */
import { smoothing as constants } from "../constants.json";

const { CUTOFF, SPEED, SPEED_CUTOFF } = constants;

/** Smooths the points of one thing that moves, all by the same speed. */
export class OneEuro {
  private points: Float64Array | null = null;
  private motion = new Float64Array(0);

  /**
   * The points, triples, smoothed; the first are given back as they are.
   *
   * @param size of the thing, in the points' unit: what its speed is told by.
   * @param seconds since the last call, > 0.
   */
  smooth(seen: Float32Array, size: number, seconds: number): Float32Array {
    const { points, motion } = this;
    if (points === null) {
      this.points = Float64Array.from(seen);
      this.motion = new Float64Array(seen.length);
      return seen;
    }
    const [scale, follow] = [seconds * Math.max(size, 1e-6), share(SPEED_CUTOFF, seconds)];
    let speed = 0;
    for (let i = 0; i < seen.length; i += 3) {
      for (let k = i; k < i + 3; k++) {
        motion[k] += follow * ((seen[k] - points[k]) / scale - motion[k]);
      }
      speed += Math.hypot(motion[i], motion[i + 1], motion[i + 2]);
    }
    const taken = share(CUTOFF + (SPEED * speed) / (seen.length / 3), seconds);
    for (let k = 0; k < seen.length; k++) points[k] += taken * (seen[k] - points[k]);
    return Float32Array.from(points);
  }
}

/** Share of what is new that a low-pass of first order takes, in (0, 1]. */
export function share(cutoff: number, seconds: number): number {
  return 1 / (1 + 1 / (2 * Math.PI * cutoff * seconds));
}

/** Share of what is known that outlives a step, for a mean over about `memory` seconds. */
export function kept(seconds: number, memory: number): number {
  return Math.exp(-seconds / memory);
}
