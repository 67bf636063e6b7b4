// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting the mean face, in centimetres, to a face's landmarks.
 *
 * References: DeMenthon & Davis 1995, "Model-Based Object Pose in 25 Lines of Code" (the start);
 * Levenberg 1944, Marquardt 1963 (least squares of the distances in the photo).
 */
import { pose } from "../constants.json";
import { cross, dot, length, product, scaled, sum, times, transposed, unit } from "../geometry";
import type { Matrix, Vector } from "../geometry";

/** What a fit works on: points of the mean face about its centre, and where they are seen. */
interface Problem {
  readonly model: Vector[];
  /** At depth 1, camera frame: x right, y up. */
  readonly seenX: number[];
  readonly seenY: number[];
}

/** A guess: the head's rotation to camera frame and its centre, camera frame, cm. */
interface Guess {
  readonly turn: Matrix;
  readonly centre: Vector;
}

/**
 * Rotation from head to camera frame, as if the camera looked straight at the head.
 *
 * @param landmarks triples, x and y in pixels of the photo.
 * @param vertices of the mean face, cm.
 * @param rows of the photo; its middle is taken as the camera's axis.
 * @param columns of the photo.
 */
export function headPose(
  landmarks: Float32Array,
  vertices: readonly Vector[],
  rows: number,
  columns: number,
): Matrix {
  const focal = pose.FOCAL * Math.max(rows, columns);
  const middle = scaled(vertices.reduce(sum, [0, 0, 0]), 1 / vertices.length);
  const problem: Problem = {
    model: vertices.map((v) => [v[0] - middle[0], v[1] - middle[1], v[2] - middle[2]]),
    seenX: vertices.map((_, i) => (landmarks[i * 3] - columns / 2) / focal),
    seenY: vertices.map((_, i) => -(landmarks[i * 3 + 1] - rows / 2) / focal),
  };
  const { turn, centre } = refine(problem, orthographic(problem));
  const [x, y, z] = scaled(unit(centre), -1);
  // The smallest turn of +z, towards the viewer, onto the line of sight.
  const sight: Matrix = [
    [1 - (x * x) / (1 + z), (-x * y) / (1 + z), x],
    [(-x * y) / (1 + z), 1 - (y * y) / (1 + z), y],
    [-x, -y, z],
  ];
  return product(transposed(sight), turn);
}

/** Least squares by Levenberg and Marquardt. */
function refine(problem: Problem, start: Guess): Guess {
  let best = start;
  let error = squares(problem, best);
  let damping = 1e-3;
  for (let iteration = 0; iteration < 100 && damping <= 1e6; iteration++) {
    const { hessian, gradient } = linearized(problem, best);
    for (let i = 0; i < 6; i++) hessian[i][i] *= 1 + damping;
    const step = solve(hessian, gradient);
    if (step === null) break;
    const next: Guess = {
      turn: product(rotation([step[0], step[1], step[2]]), best.turn),
      centre: sum(best.centre, [step[3], step[4], step[5]]),
    };
    const nextError = squares(problem, next);
    if (nextError < error) {
      const gained = error - nextError;
      best = next;
      error = nextError;
      damping = Math.max(damping / 10, 1e-12);
      if (gained < 1e-12 * error) break;
    } else {
      damping *= 10;
    }
  }
  return best;
}

/** Pose under scaled orthography, refined for perspective. */
function orthographic({ model, seenX, seenY }: Problem): Guess {
  const spread = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => model.reduce((total, v) => total + v[i] * v[j], 0)),
  );
  /** The vector whose products with the points are their coordinates, by least squares. */
  const axis = (seen: number[]): Vector => {
    const sums = [0, 1, 2].map((i) =>
      model.reduce((total, v, k) => total + v[i] * seen[k] * nearness[k], 0),
    );
    const found = solve(
      spread.map((row) => [...row]),
      sums,
    );
    if (found === null) throw new Error("the mean face is flat");
    return [found[0], found[1], found[2]];
  };
  const mean = (seen: number[]): number =>
    seen.reduce((total, value, k) => total + value * nearness[k], 0) / seen.length;
  let nearness = model.map(() => 1); // depth of a point over the centre's
  let guess: Guess | null = null;
  for (let k = 0; k < 20; k++) {
    const [right, up] = [axis(seenX), axis(seenY)];
    const depth = 1 / Math.sqrt(length(right) * length(up));
    const x = unit(right);
    const z = unit(cross(x, up));
    guess = {
      turn: [x, cross(z, x), z],
      centre: [mean(seenX) * depth, mean(seenY) * depth, -depth],
    };
    nearness = model.map((v) => 1 - dot(z, v) / depth);
  }
  return guess as Guess;
}

/** Sum of squared distances at depth 1; infinite where a point is behind the camera. */
function squares({ model, seenX, seenY }: Problem, { turn, centre }: Guess): number {
  let total = 0;
  for (let i = 0; i < model.length; i++) {
    const p = sum(times(turn, model[i]), centre);
    if (p[2] >= 0) return Infinity;
    total += (seenX[i] + p[0] / p[2]) ** 2 + (seenY[i] + p[1] / p[2]) ** 2;
  }
  return total;
}

/** Normal equations of a small turn and shift that bring the points onto what is seen. */
function linearized(
  { model, seenX, seenY }: Problem,
  { turn, centre }: Guess,
): { hessian: number[][]; gradient: number[] } {
  const hessian = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
  const gradient = new Array<number>(6).fill(0);
  const add = (r: Vector, row: Vector, missing: number): void => {
    const byTurn = cross(r, row); // row . (w x r) = w . (r x row)
    const j = [...byTurn, ...row];
    for (let a = 0; a < 6; a++) {
      gradient[a] += j[a] * missing;
      for (let b = 0; b < 6; b++) hessian[a][b] += j[a] * j[b];
    }
  };
  for (let i = 0; i < model.length; i++) {
    const r = times(turn, model[i]);
    const [x, y, z] = sum(r, centre);
    // Seen at -x / z and -y / z; their derivatives by the point.
    add(r, [-1 / z, 0, x / (z * z)], seenX[i] + x / z);
    add(r, [0, -1 / z, y / (z * z)], seenY[i] + y / z);
  }
  return { hessian, gradient };
}

/** Rotation by a vector whose length is the angle in radians (Rodrigues). */
export function rotation(vector: Vector): Matrix {
  const angle = length(vector);
  if (angle < 1e-12) {
    return [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
  }
  const [x, y, z] = unit(vector);
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  const t = 1 - c;
  return [
    [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
    [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
    [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
  ];
}

/** Gaussian elimination with pivoting; changes its arguments. Null for a singular matrix. */
export function solve(a: number[][], b: number[]): number[] | null {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i][k]) > Math.abs(a[pivot][k])) pivot = i;
    if (Math.abs(a[pivot][k]) < 1e-300) return null;
    [a[k], a[pivot]] = [a[pivot], a[k]];
    [b[k], b[pivot]] = [b[pivot], b[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i][k] / a[k][k];
      for (let j = k; j < n; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}
