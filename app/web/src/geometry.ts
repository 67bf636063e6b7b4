// SPDX-License-Identifier: Apache-2.0
/**
 * Frames, angles and the square crop around a face.
 *
 * Camera frame: right-handed, +x image right, +y up, +z towards the viewer. A light direction is
 * the unit vector from the subject towards the light: azimuth > 0 is image right, elevation > 0 up.
 */
import { geometry } from "./constants.json";
import { clamp, Pixels, Raster, roundEven, Window, type Rows } from "./image/raster";
import { resizeArea, resizeLinear, shrunk, warp, type Axis } from "./image/resample";

export type Vector = readonly [number, number, number];
/** Row by row. */
export type Matrix = readonly [Vector, Vector, Vector];

export const RADIAN = Math.PI / 180;

export function direction(azimuth: number, elevation: number): Vector {
  const across = Math.cos(elevation);
  return [Math.sin(azimuth) * across, Math.sin(elevation), Math.cos(azimuth) * across];
}

/** Azimuth and elevation of a vector, radians. */
export function angles(v: Vector): [number, number] {
  return [Math.atan2(v[0], v[2]), Math.atan2(v[1], Math.hypot(v[0], v[2]))];
}

/** 0 below `low`, 1 above `high`, a smooth cubic between them. */
export function smoothstep(x: number, low: number, high: number): number {
  const t = clamp((x - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function scaled(v: Vector, factor: number): Vector {
  return [v[0] * factor, v[1] * factor, v[2] * factor];
}

export function sum(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function length(v: Vector): number {
  return Math.hypot(v[0], v[1], v[2]);
}

/** A vector scaled to unit length; a zero vector stays zero. */
export function unit(v: Vector): Vector {
  return scaled(v, 1 / Math.max(length(v), 1e-12));
}

export function times(m: Matrix, v: Vector): Vector {
  return [dot(m[0], v), dot(m[1], v), dot(m[2], v)];
}

export function transposed(m: Matrix): Matrix {
  return [
    [m[0][0], m[1][0], m[2][0]],
    [m[0][1], m[1][1], m[2][1]],
    [m[0][2], m[1][2], m[2][2]],
  ];
}

export function product(a: Matrix, b: Matrix): Matrix {
  const columns = transposed(b);
  const row = (r: Vector): Vector => [dot(r, columns[0]), dot(r, columns[1]), dot(r, columns[2])];
  return [row(a[0]), row(a[1]), row(a[2])];
}

/** Triples scaled to unit length in place. */
export function normalizeTriples(data: Float32Array | Float64Array): void {
  for (let i = 0; i < data.length; i += 3) {
    const size = Math.max(Math.hypot(data[i], data[i + 1], data[i + 2]), 1e-12);
    for (let c = 0; c < 3; c++) data[i + c] /= size;
  }
}

/** Cells laid over part of a photo: pixels of its left upper corner, pixels per cell. */
export interface Grid {
  readonly left: number;
  readonly top: number;
  readonly step: number;
  readonly rows: number;
  readonly columns: number;
}

/** Rows `top` to before `bottom` and columns `left` to before `right` of a photo. */
export interface Box {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Left, top, right and bottom of the bounding box of triples' first two numbers. */
export function bounds(points: Float32Array): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 3) {
    box[0] = Math.min(box[0], points[i]);
    box[1] = Math.min(box[1], points[i + 1]);
    box[2] = Math.max(box[2], points[i]);
    box[3] = Math.max(box[3], points[i + 1]);
  }
  return box;
}

/** Cell `u` lies at `offset + (u + 0.5) * step` pixels, of which one has `scale` values. */
function cells(offset: number, step: number, scale: number): Axis {
  return { scale: step * scale, offset: (offset + 0.5 * step) * scale - 0.5 };
}

/** A square of whole pixels of a photo; may reach past its border, where edges repeat. */
export class Crop {
  constructor(
    readonly left: number,
    readonly top: number,
    readonly size: number,
  ) {}

  /** The square around a face's landmarks, triples. */
  static around(landmarks: Float32Array): Crop {
    const [left, top, right, bottom] = bounds(landmarks);
    const extent = Math.max(right - left, bottom - top);
    const size = Math.max(1, roundEven(extent * geometry.CROP_SCALE));
    const start = (low: number, high: number): number =>
      Math.floor(Math.fround((low + high) / 2 - size / 2 + 0.5));
    return new Crop(start(left, right), start(top, bottom), size);
  }

  /** Cut the square out of a photo and resample it; null if it lies wholly outside. */
  extract(photo: Pixels, side: number): Pixels | null {
    const seen = this.visible(photo.rows, photo.columns);
    if (seen.top >= seen.bottom || seen.left >= seen.right) return null;
    if (this.size > 2 * side) return this.extractShrunk(photo, seen, side);
    const square = new Window(photo, this.left, this.top, this.size, this.size);
    const resize = side <= this.size ? resizeArea : resizeLinear;
    return Pixels.rounded(resize(square, side, side));
  }

  /** Average by a whole factor, then cut the exact square at the reduced size. */
  private extractShrunk(photo: Pixels, seen: Box, side: number): Pixels {
    const [height, width] = [seen.bottom - seen.top, seen.right - seen.left];
    const part: Rows = new Window(photo, seen.left, seen.top, height, width);
    const factor = Math.floor(this.size / side);
    const small = Pixels.rounded(shrunk(part, factor));
    const step = this.size / side;
    const across = cells(this.left - seen.left, step, 1 / Math.min(factor, width));
    const down = cells(this.top - seen.top, step, 1 / Math.min(factor, height));
    return Pixels.rounded(warp(small, side, side, down, across));
  }

  /** Triples in pixels of the photo to pixels of the crop resampled to `side`. */
  toCrop(points: Float32Array, side: number): Float32Array {
    const scale = Math.fround(side / this.size);
    return points.map((value, i) => {
      const origin = i % 3 === 0 ? this.left : i % 3 === 1 ? this.top : 0;
      return (value - origin) * scale;
    });
  }

  /** Values given on this crop at the centres of cells of the photo, bilinear, edges repeated. */
  ontoGrid(values: Raster, grid: Grid): Raster {
    const scale = values.rows / this.size;
    return warp(
      values,
      grid.rows,
      grid.columns,
      cells(grid.top - this.top, grid.step, scale),
      cells(grid.left - this.left, grid.step, scale),
    );
  }

  /** The square on the photo scaled by a factor, to whole pixels. */
  scaled(factor: number): Crop {
    const size = Math.max(1, roundEven(this.size * factor));
    return new Crop(roundEven(this.left * factor), roundEven(this.top * factor), size);
  }

  /** The part of a photo that the crop covers. */
  visible(rows: number, columns: number): Box {
    return {
      top: clamp(this.top, 0, rows),
      bottom: clamp(this.top + this.size, 0, rows),
      left: clamp(this.left, 0, columns),
      right: clamp(this.left + this.size, 0, columns),
    };
  }
}
