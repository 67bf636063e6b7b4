// SPDX-License-Identifier: Apache-2.0
/** Pictures at other sizes: averages over area, and bilinear interpolation. */
import { clamp, loaded, Pixels, Raster, Window, type Rows } from "./raster";

/** Source cells from `start` on and their weights, which sum to 1. */
interface Span {
  readonly start: number;
  readonly weights: Float32Array;
}

/** Averages over area: for pictures that shrink. */
export function resizeArea(source: Rows, rows: number, columns: number): Raster {
  if (source.rows === rows && source.columns === columns) return loaded(source);
  const channels = source.channels;
  const across = overlaps(source.columns, columns);
  const result = new Raster(rows, columns, channels);
  const line = new Float32Array(source.columns * channels);
  const shrunk = new Float32Array(columns * channels);
  let read = -1;
  overlaps(source.rows, rows).forEach((span, y) => {
    const base = y * columns * channels;
    span.weights.forEach((share, k) => {
      if (span.start + k !== read) {
        read = span.start + k;
        source.row(read, line);
        shrinkLine(line, across, channels, shrunk);
      }
      for (let i = 0; i < shrunk.length; i++) result.data[base + i] += share * shrunk[i];
    });
  });
  return result;
}

function overlaps(from: number, to: number): Span[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const low = i * scale;
    const high = Math.min((i + 1) * scale, from);
    const start = Math.floor(low + 1e-9);
    const stop = Math.max(start + 1, Math.min(from, Math.ceil(high - 1e-9)));
    const weights = new Float32Array(stop - start);
    let total = 0;
    for (let k = 0; k < weights.length; k++) {
      weights[k] = Math.min(high, start + k + 1) - Math.max(low, start + k);
      total += weights[k];
    }
    for (let k = 0; k < weights.length; k++) weights[k] /= total;
    return { start, weights };
  });
}

function shrinkLine(line: Float32Array, spans: Span[], channels: number, into: Float32Array): void {
  for (let x = 0; x < spans.length; x++) {
    const { start, weights } = spans[x];
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * line[(start + k) * channels + c];
      into[x * channels + c] = sum;
    }
  }
}

/** Bilinear, pixel centres at half, edges repeated. */
export function resizeLinear(source: Rows, rows: number, columns: number): Raster {
  const channels = source.channels;
  const left = new Int32Array(columns);
  const right = new Int32Array(columns);
  const part = new Float32Array(columns);
  for (let x = 0; x < columns; x++) {
    const u = (x + 0.5) * (source.columns / columns) - 0.5;
    const floor = Math.floor(u);
    left[x] = clamp(floor, 0, source.columns - 1) * channels;
    right[x] = clamp(floor + 1, 0, source.columns - 1) * channels;
    part[x] = u - floor;
  }
  const result = new Raster(rows, columns, channels);
  let upper = new Float32Array(source.columns * channels);
  let lower = new Float32Array(source.columns * channels);
  let above = -1;
  let below = -1;
  for (let y = 0, k = 0; y < rows; y++) {
    const v = (y + 0.5) * (source.rows / rows) - 0.5;
    const floor = Math.floor(v);
    const first = clamp(floor, 0, source.rows - 1);
    const second = clamp(floor + 1, 0, source.rows - 1);
    if (first === below && first !== above) {
      [upper, lower] = [lower, upper];
      above = below;
      below = -1;
    }
    if (first !== above) source.row(first, upper);
    if (second !== below) source.row(second, lower);
    above = first;
    below = second;
    const t = v - floor;
    for (let x = 0; x < columns; x++) {
      const a = left[x];
      const b = right[x];
      const p = part[x];
      for (let c = 0; c < channels; c++) {
        const high = upper[a + c] + (upper[b + c] - upper[a + c]) * p;
        const low = lower[a + c] + (lower[b + c] - lower[a + c]) * p;
        result.data[k++] = high + (low - high) * t;
      }
    }
  }
  return result;
}

/**
 * From positions in one picture to those in another: the column there is
 * `x[0] column + x[1] row + x[2]`, the row likewise; pixel `j` covers `[j, j + 1)` in both.
 */
export interface Affine {
  readonly x: readonly [number, number, number];
  readonly y: readonly [number, number, number];
}

/**
 * Draw a picture from another one, bilinear.
 *
 * @param onto from positions in the picture to those in the other one.
 * @param outside value around the other one; without it its edges repeat.
 */
export function drawn(
  source: Raster,
  rows: number,
  columns: number,
  { x, y }: Affine,
  outside?: number,
): Raster {
  const { data, channels, rows: high, columns: wide } = source;
  const result = new Raster(rows, columns, channels);
  const around = outside ?? 0;
  for (let row = 0, k = 0; row < rows; row++) {
    const startX = x[1] * (row + 0.5) + x[2] - 0.5;
    const startY = y[1] * (row + 0.5) + y[2] - 0.5;
    for (let column = 0; column < columns; column++) {
      const u = x[0] * (column + 0.5) + startX;
      const v = y[0] * (column + 0.5) + startY;
      const left = Math.floor(u);
      const top = Math.floor(v);
      const a = clamp(left, 0, wide - 1);
      const b = clamp(left + 1, 0, wide - 1);
      const c = clamp(top, 0, high - 1);
      const d = clamp(top + 1, 0, high - 1);
      const p = u - left;
      const q = v - top;
      let upperLeft = (c * wide + a) * channels;
      let upperRight = (c * wide + b) * channels;
      let lowerLeft = (d * wide + a) * channels;
      let lowerRight = (d * wide + b) * channels;
      if (outside === undefined || (a === left && b === left + 1 && c === top && d === top + 1)) {
        for (let n = 0; n < channels; n++) {
          const upper = data[upperLeft] + (data[upperRight++] - data[upperLeft++]) * p;
          const lower = data[lowerLeft] + (data[lowerRight++] - data[lowerLeft++]) * p;
          result.data[k++] = upper + (lower - upper) * q;
        }
        continue;
      }
      const [inLeft, inRight] = [a === left, b === left + 1];
      const [inUpper, inLower] = [c === top, d === top + 1];
      for (let n = 0; n < channels; n++) {
        const one = inUpper && inLeft ? data[upperLeft + n] : around;
        const two = inUpper && inRight ? data[upperRight + n] : around;
        const three = inLower && inLeft ? data[lowerLeft + n] : around;
        const four = inLower && inRight ? data[lowerRight + n] : around;
        const upper = one + (two - one) * p;
        result.data[k++] = upper + (three + (four - three) * p - upper) * q;
      }
    }
  }
  return result;
}

/** Average blocks of `factor x factor` cells; an incomplete last row or column is left out. */
export function shrink(image: Raster, factor: number): Raster {
  return factor === 1 ? image : shrunk(image, factor);
}

/** The same of a picture, rounded to bytes. */
export function shrinkPixels(photo: Pixels, factor: number): Pixels {
  return factor === 1 ? photo : Pixels.rounded(shrunk(photo, factor));
}

/** A picture at half its size, as `shrinkPixels` by 2. */
export function halved(source: Rows): Pixels {
  const [high, wide] = [Math.min(2, source.rows), Math.min(2, source.columns)];
  const [rows, columns] = [Math.floor(source.rows / high), Math.floor(source.columns / wide)];
  const result = new Pixels(rows, columns, new Uint8ClampedArray(rows * columns * 4));
  const upper = new Float32Array(source.columns * 3);
  const lower = new Float32Array(source.columns * 3);
  const right = (wide - 1) * 3;
  for (let y = 0, k = 0; y < rows; y++) {
    source.row(y * high, upper);
    source.row(y * high + high - 1, lower);
    for (let x = 0, i = 0; x < columns; x++, i += wide * 3) {
      for (let c = i; c < i + 3; c++) {
        const total = upper[c] + upper[c + right] + lower[c] + lower[c + right];
        result.rgba[k++] = Math.floor(total / 4 + 0.5);
      }
      result.rgba[k++] = 255;
    }
  }
  return result;
}

/** Blocks of `factor x factor` cells averaged, not rounded. */
function shrunk(source: Rows, factor: number): Raster {
  const rows = Math.max(1, Math.floor(source.rows / factor));
  const columns = Math.max(1, Math.floor(source.columns / factor));
  const part = new Window(
    source,
    0,
    0,
    Math.min(source.rows, rows * factor),
    Math.min(source.columns, columns * factor),
  );
  return resizeArea(part, rows, columns);
}
