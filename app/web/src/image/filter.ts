// SPDX-License-Identifier: Apache-2.0
/**
 * Neighbourhood filters.
 *
 * Reference: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
import { clamp, Raster, roundEven } from "./raster";
import { resizeLinear } from "./resample";

/** What lies past an edge: the edge cell again, the picture mirrored at it, or at its centre. */
export type Border = "replicate" | "reflect" | "reflect101";

function cell(index: number, count: number, border: Border): number {
  if (border === "replicate" || count === 1) return clamp(index, 0, count - 1);
  const twice = border === "reflect" ? 1 : 0;
  let i = index;
  while (i < 0 || i >= count) i = i < 0 ? -i - twice : 2 * count - 2 + twice - i;
  return i;
}

/** Filters one line of `count` numbers of `line` into `into`. */
type LineFilter = (line: Float32Array, count: number, into: Float32Array) => void;

/** Filter every row, then every column, channel by channel. */
function eachAxis(image: Raster, filter: LineFilter): Raster {
  const { rows, columns, channels } = image;
  const result = new Raster(rows, columns, channels, image.data.slice());
  const line = new Float32Array(Math.max(rows, columns));
  const filtered = new Float32Array(line.length);
  for (const horizontal of [true, false]) {
    const count = horizontal ? columns : rows;
    const lines = horizontal ? rows : columns;
    const stride = horizontal ? channels : columns * channels;
    for (let k = 0; k < lines; k++) {
      for (let c = 0; c < channels; c++) {
        const start = (horizontal ? k * columns : k) * channels + c;
        for (let i = 0; i < count; i++) line[i] = result.data[start + i * stride];
        filter(line, count, filtered);
        for (let i = 0; i < count; i++) result.data[start + i * stride] = filtered[i];
      }
    }
  }
  return result;
}

/** Mean over a square window of odd side. */
export function blur(image: Raster, side: number, border: Border = "reflect101"): Raster {
  const reach = (side - 1) / 2;
  return eachAxis(image, (line, count, into) => {
    let sum = 0;
    for (let k = -reach; k <= reach; k++) sum += line[cell(k, count, border)];
    for (let i = 0; i < count; i++) {
      into[i] = sum / side;
      const next = i + reach + 1;
      const last = i - reach;
      sum += next < count ? line[next] : line[cell(next, count, border)];
      sum -= last >= 0 ? line[last] : line[cell(last, count, border)];
    }
  });
}

/** Gaussian blur of standard deviation `sigma` cells, cut off at four of them. */
export function gaussianBlur(image: Raster, sigma: number, border: Border = "reflect101"): Raster {
  const side = roundEven(sigma * 8 + 1) | 1;
  const reach = (side - 1) / 2;
  const weights = Float64Array.from({ length: side }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return eachAxis(image, (line, count, into) => {
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let k = 0; k < side; k++) sum += weights[k] * line[cell(i + k - reach, count, border)];
      into[i] = sum / total;
    }
  });
}

/** Least number in a square window of odd side; what lies outside the picture does not count. */
export function erode(image: Raster, side: number): Raster {
  return extreme(image, side, -1);
}

/** Largest number in a square window of odd side. */
export function dilate(image: Raster, side: number): Raster {
  return extreme(image, side, 1);
}

/** @param sign 1 for the largest, -1 for the least. */
function extreme(image: Raster, side: number, sign: number): Raster {
  const reach = (side - 1) / 2;
  return eachAxis(image, (line, count, into) => {
    for (let i = 0; i < count; i++) {
      let best = sign * line[i];
      const stop = Math.min(count - 1, i + reach);
      for (let k = Math.max(0, i - reach); k <= stop; k++) {
        const value = sign * line[k];
        if (value > best) best = value;
      }
      into[i] = sign * best;
    }
  });
}

/** Pairs of the three colours, in the order of a symmetric matrix. */
export const PAIRS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, 2],
] as const;

/**
 * Let values change where the colours of a picture do.
 *
 * @param guide three channels in [0, 1].
 * @param values one channel, of the same size.
 * @param radius half the window's side, in cells of the picture scaled by `scale`.
 * @param eps variance of the guide that counts as an edge.
 * @param scale at which the filter's coefficients are found, <= 1.
 */
export function guidedFilter(
  guide: Raster,
  values: Raster,
  radius: number,
  eps: number,
  scale: number,
): Raster {
  const rows = Math.max(1, roundEven(guide.rows * scale));
  const columns = Math.max(1, roundEven(guide.columns * scale));
  const small = scale < 1 ? resizeLinear(guide, rows, columns) : guide;
  const signal = scale < 1 ? resizeLinear(values, rows, columns) : values;
  const mean = (raster: Raster): Raster => blur(raster, 2 * radius + 1, "reflect");
  const planes = [0, 1, 2].map((c) => small.channel(c));
  const means = planes.map(mean);
  const signalMean = mean(signal);
  const covariance = (a: Raster, b: Raster, meanA: Raster, meanB: Raster): Raster =>
    mean(a.zip(b, (x, y) => x * y)).zip(
      meanA.zip(meanB, (x, y) => x * y),
      (x, y) => x - y,
    );
  const own = PAIRS.map(([i, j]) => covariance(planes[i], planes[j], means[i], means[j]));
  const cross = planes.map((plane, c) => covariance(plane, signal, means[c], signalMean));
  const found = new Raster(rows, columns, 4);
  for (let i = 0; i < rows * columns; i++) {
    const slope = slopes(
      own.map((plane) => plane.data[i]),
      cross.map((plane) => plane.data[i]),
      eps,
    );
    let offset = signalMean.data[i];
    for (let c = 0; c < 3; c++) {
      found.data[i * 4 + c] = slope[c];
      offset -= slope[c] * means[c].data[i];
    }
    found.data[i * 4 + 3] = offset;
  }
  const smooth = mean(found);
  const full = scale < 1 ? resizeLinear(smooth, guide.rows, guide.columns) : smooth;
  const result = new Raster(guide.rows, guide.columns, 1);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] =
      full.data[i * 4] * guide.data[i * 3] +
      full.data[i * 4 + 1] * guide.data[i * 3 + 1] +
      full.data[i * 4 + 2] * guide.data[i * 3 + 2] +
      full.data[i * 4 + 3];
  }
  return result;
}

/** Solve `(C + eps) a = v` for a symmetric C given as in PAIRS. */
export function slopes(c: number[], v: number[], eps: number): [number, number, number] {
  const [xx, yy, zz] = [c[0] + eps, c[3] + eps, c[5] + eps];
  const [xy, xz, yz] = [c[1], c[2], c[4]];
  const ixx = yy * zz - yz * yz;
  const ixy = xz * yz - xy * zz;
  const ixz = xy * yz - xz * yy;
  const iyy = xx * zz - xz * xz;
  const iyz = xy * xz - xx * yz;
  const izz = xx * yy - xy * xy;
  const determinant = xx * ixx + xy * ixy + xz * ixz;
  return [
    (ixx * v[0] + ixy * v[1] + ixz * v[2]) / determinant,
    (ixy * v[0] + iyy * v[1] + iyz * v[2]) / determinant,
    (ixz * v[0] + iyz * v[1] + izz * v[2]) / determinant,
  ];
}
