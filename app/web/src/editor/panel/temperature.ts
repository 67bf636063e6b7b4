// SPDX-License-Identifier: Apache-2.0
/** The colour of a light by its warmth: black bodies, against daylight. */
import { luminance } from "../../color";
import type { Vector } from "../../geometry";

/** What counts as white: the photo is taken to be balanced for daylight. */
const WHITE_K = 6500;
const WARMEST_K = 2200;
const COOLEST_K = 15000;
const XYZ_TO_RGB = [
  [3.2406, -1.5372, -0.4986],
  [-0.9689, 1.8758, 0.0415],
  [0.0557, -0.204, 1.057],
];

/** Kelvin of a warmth in [-100, 100]: even steps of the reciprocal look even. */
export function kelvin(warmth: number): number {
  const end = warmth > 0 ? WARMEST_K : COOLEST_K;
  const share = Math.abs(warmth) / 100;
  return 1 / ((1 - share) / WHITE_K + share / end);
}

/** Linear RGB of luminance 1 of a light of some warmth. */
export function warmColor(warmth: number): Vector {
  if (warmth === 0) return [1, 1, 1];
  const white = planckian(WHITE_K);
  const relative = planckian(kelvin(warmth)).map((value, c) => Math.max(value / white[c], 0));
  const size = luminance(relative[0], relative[1], relative[2]);
  return [relative[0] / size, relative[1] / size, relative[2] / size];
}

/**
 * Linear RGB of a black body.
 *
 * Reference: Kim et al. 2002, "Design of advanced color temperature control system for HDTV
 * applications" (cubic splines of the Planckian locus).
 */
function planckian(temperature: number): number[] {
  const t = 1000 / temperature;
  const x = cubic(
    temperature <= 4000
      ? [-0.2661239, -0.2343589, 0.8776956, 0.17991]
      : [-3.0258469, 2.1070379, 0.2226347, 0.24039],
    t,
  );
  const y = cubic(
    temperature <= 2222
      ? [-1.1063814, -1.3481102, 2.18555832, -0.20219683]
      : temperature <= 4000
        ? [-0.9549476, -1.37418593, 2.09137015, -0.16748867]
        : [3.081758, -5.8733867, 3.75112997, -0.37001483],
    x,
  );
  const xyz = [x / y, 1, (1 - x - y) / y];
  return XYZ_TO_RGB.map((row) => row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]);
}

function cubic([a, b, c, d]: number[], x: number): number {
  return ((a * x + b) * x + c) * x + d;
}
