// SPDX-License-Identifier: Apache-2.0
/**
 * Frames, angles and the square crop around a face.
 *
 * Camera frame: right-handed, +x image right, +y up, +z towards the viewer. A light direction is
 * the unit vector from the subject towards the light: azimuth > 0 is image right, elevation > 0 up.
 */
import { geometry } from "./constants.json";
import { clamp, loaded, Pixels, Window, type Raster, type Rows } from "./image/raster";
import { drawn, halved, shrinkPixels, type Affine } from "./image/resample";

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

/**
 * A vector, camera frame, turned about the camera's axis by radians: clockwise as the viewer sees
 * it, so that up goes towards image right.
 */
export function rolled([x, y, z]: Vector, angle: number): Vector {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [x * cos + y * sin, y * cos - x * sin, z];
}

/** Radians by which a head's up axis leans towards image right, by its pose. */
export function rollOf(headPose: Matrix): number {
  return Math.atan2(headPose[0][1], headPose[1][1]);
}

/** Yaw (> 0: nose to image right) and pitch (> 0: up) in degrees of a head pose. */
export function headAngles(headPose: Matrix): [number, number] {
  const [yaw, pitch] = angles([headPose[0][2], headPose[1][2], headPose[2][2]]);
  return [yaw / RADIAN, pitch / RADIAN];
}

/** A rotation to camera frame, turned as `rolled` turns vectors. */
export function rolledPose(pose: Matrix, angle: number): Matrix {
  const [right, up, out] = transposed(pose);
  return transposed([rolled(right, angle), rolled(up, angle), rolled(out, angle)]);
}

/** Left, top, right and bottom of the bounding box of triples' first two numbers. */
export function bounds(points: ArrayLike<number>): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 3) {
    box[0] = Math.min(box[0], points[i]);
    box[1] = Math.min(box[1], points[i + 1]);
    box[2] = Math.max(box[2], points[i]);
    box[3] = Math.max(box[3], points[i + 1]);
  }
  return box;
}

/**
 * A square of a photo, turned so that the head in it is upright; may reach past the photo's border,
 * where edges repeat. Positions are in pixels of the photo; pixel `j` covers `[j, j + 1)`.
 */
export class Crop {
  private readonly cos: number;
  private readonly sin: number;

  /**
   * @param x column of its middle.
   * @param y row of its middle.
   * @param size side in pixels.
   * @param roll radians by which its upper side leans towards image right.
   */
  constructor(
    readonly x: number,
    readonly y: number,
    readonly size: number,
    readonly roll = 0,
  ) {
    this.cos = Math.cos(roll);
    this.sin = Math.sin(roll);
  }

  /** The square around a face's landmarks, triples. */
  static around(landmarks: Float32Array, roll = 0): Crop {
    const { cos, sin } = new Crop(0, 0, 1, roll);
    const turned = Float64Array.from(landmarks, (value, i) => {
      if (i % 3 === 0) return value * cos + landmarks[i + 1] * sin;
      return i % 3 === 1 ? value * cos - landmarks[i - 1] * sin : 0;
    });
    const [left, top, right, bottom] = bounds(turned);
    const [a, b] = [(left + right) / 2, (top + bottom) / 2];
    const size = Math.max(1, geometry.CROP_SCALE * Math.max(right - left, bottom - top));
    return new Crop(a * cos - b * sin, a * sin + b * cos, size, roll);
  }

  /** Cut the square out of a photo and resample it; null if it lies wholly outside. */
  extract(photo: Pixels, side: number): Pixels | null {
    const seen = this.visible(photo.rows, photo.columns);
    if (seen.top >= seen.bottom || seen.left >= seen.right) return null;
    // A huge photo is halved while its pixels are much smaller than wanted; then one finer picture
    // is drawn and averaged, so that no detail is skipped.
    const samples = this.size > side ? geometry.SAMPLES : 1;
    const wanted = samples * side * geometry.FINEST;
    const halvings = Math.max(0, Math.floor(Math.log2(this.size / wanted)));
    const factor = 2 ** halvings;
    const [top, left] = [Math.max(0, seen.top - factor), Math.max(0, seen.left - factor)];
    const high = Math.min(photo.rows, seen.bottom + factor) - top;
    const wide = Math.min(photo.columns, seen.right + factor) - left;
    let part: Rows = new Window(photo, left, top, high, wide);
    const block = { x: 1, y: 1 };
    for (let k = 0; k < halvings; k++) {
      block.x *= Math.min(2, part.columns); // a single row or column stays one
      block.y *= Math.min(2, part.rows);
      part = halved(part);
    }
    const onPhoto = this.toPhoto(samples * side);
    const picture = drawn(loaded(part), samples * side, samples * side, {
      x: scaledRow(onPhoto.x, left, block.x),
      y: scaledRow(onPhoto.y, top, block.y),
    });
    return shrinkPixels(Pixels.rounded(picture), samples);
  }

  /** Triples in pixels of the photo to pixels of the crop resampled to `side`. */
  toCrop(points: Float32Array, side: number): Float32Array {
    const { x, y, cos, sin } = this;
    const scale = side / this.size;
    return points.map((value, i) => {
      if (i % 3 === 2) return value * scale;
      const [dx, dy] = i % 3 === 0 ? [value - x, points[i + 1] - y] : [points[i - 1] - x, value - y];
      const along = i % 3 === 0 ? dx * cos + dy * sin : dy * cos - dx * sin;
      return along * scale + side / 2;
    });
  }

  /** Column and row, pixels of the photo, of a point in shares of the crop's sides. */
  point(u: number, v: number): [number, number] {
    const [across, down] = [(u - 0.5) * this.size, (v - 0.5) * this.size];
    return [
      this.x + across * this.cos - down * this.sin,
      this.y + across * this.sin + down * this.cos,
    ];
  }

  /** A point of the photo in shares of the crop's sides. */
  shares(x: number, y: number): [number, number] {
    const [dx, dy] = [x - this.x, y - this.y];
    return [
      (dx * this.cos + dy * this.sin) / this.size + 0.5,
      (dy * this.cos - dx * this.sin) / this.size + 0.5,
    ];
  }

  /**
   * Values given on this crop at the centres of another one's pixels, bilinear.
   *
   * @param side of the result.
   * @param outside value around the crop; without it its edges repeat.
   */
  ontoCrop(values: Raster, other: Crop, side: number, outside?: number): Raster {
    const at = (u: number, v: number): number[] =>
      this.shares(...other.point(u / side, v / side)).map((share) => share * values.rows);
    const [origin, right, below] = [at(0, 0), at(1, 0), at(0, 1)];
    const row = (k: number): Affine["x"] => [right[k] - origin[k], below[k] - origin[k], origin[k]];
    return drawn(values, side, side, { x: row(0), y: row(1) }, outside);
  }

  /**
   * Values given on this crop at the centres of cells of the photo, bilinear.
   *
   * @param outside value around the crop; without it its edges repeat.
   */
  ontoGrid(values: Raster, grid: Grid, outside?: number): Raster {
    const { cos, sin } = this;
    const scale = values.rows / this.size;
    const [dx, dy] = [grid.left - this.x, grid.top - this.y];
    const [along, across] = [grid.step * cos * scale, grid.step * sin * scale];
    const middle = values.rows / 2;
    const onCrop: Affine = {
      x: [along, across, (dx * cos + dy * sin) * scale + middle],
      y: [-across, along, (dy * cos - dx * sin) * scale + middle],
    };
    return drawn(values, grid.rows, grid.columns, onCrop, outside);
  }

  /** The square on the photo scaled by a factor. */
  scaled(factor: number): Crop {
    return new Crop(this.x * factor, this.y * factor, this.size * factor, this.roll);
  }

  /** The part of a photo that the square, turned, lies within. */
  visible(rows: number, columns: number): Box {
    const half = (this.size / 2) * (Math.abs(this.cos) + Math.abs(this.sin));
    const low = (middle: number, limit: number): number =>
      clamp(Math.floor(middle - half + geometry.WHOLE), 0, limit);
    const high = (middle: number, limit: number): number =>
      clamp(Math.ceil(middle + half - geometry.WHOLE), 0, limit);
    return {
      top: low(this.y, rows),
      bottom: high(this.y, rows),
      left: low(this.x, columns),
      right: high(this.x, columns),
    };
  }

  /** From pixels of the crop at a resolution to those of the photo. */
  private toPhoto(side: number): Affine {
    const step = this.size / side;
    const [along, across] = [step * this.cos, step * this.sin];
    const middle = side / 2;
    return {
      x: [along, -across, this.x - (along - across) * middle],
      y: [across, along, this.y - (across + along) * middle],
    };
  }
}

/** One axis of an affine map, counted from `origin` in units of `unit`. */
function scaledRow([a, b, c]: Affine["x"], origin: number, unit: number): Affine["x"] {
  return [a / unit, b / unit, (c - origin) / unit];
}
