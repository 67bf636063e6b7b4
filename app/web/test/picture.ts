// SPDX-License-Identifier: Apache-2.0
/** Pictures from bytes, their parts, and their numbers. */
import { Pixels, Raster } from "../src/image/raster";

export function colours(photo: Pixels, every = 1): number[] {
  const result: number[] = [];
  for (let y = 0; y < photo.rows; y += every) {
    for (let x = 0; x < photo.columns; x += every) {
      const at = (y * photo.columns + x) * 4;
      result.push(photo.rgba[at], photo.rgba[at + 1], photo.rgba[at + 2]);
    }
  }
  return result;
}

export function every(image: Raster, step: number): number[] {
  const result: number[] = [];
  for (let y = 0; y < image.rows; y += step) {
    for (let x = 0; x < image.columns; x += step) {
      const at = (y * image.columns + x) * image.channels;
      result.push(...image.data.subarray(at, at + image.channels));
    }
  }
  return result;
}

export function opaque(rows: number, columns: number, rgb: ArrayLike<number>): Pixels {
  return Pixels.rounded(new Raster(rows, columns, 3, Float32Array.from(rgb)));
}

export function part(photo: Pixels, top: number, left: number, rows: number, columns: number): Pixels {
  const crop: number[] = [];
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      crop.push(...photo.rgba.subarray((y * photo.columns + x) * 4).subarray(0, 3));
    }
  }
  return opaque(rows, columns, crop);
}

