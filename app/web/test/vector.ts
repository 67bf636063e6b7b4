// SPDX-License-Identifier: Apache-2.0
/** Python's golden vectors, and comparing with them. */
import { readFileSync } from "node:fs";
import { Crop, type Vector } from "../src/geometry";
import { Pixels, Raster } from "../src/image/raster";

export type Numbers = ArrayLike<number>;
interface Entry {
  type: "float32" | "uint8" | "int32";
  shape: number[];
  offset: number;
}

const [folder] = process.argv.slice(2);
const index = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8"));
const content = readFileSync(`${folder}/golden.bin`);
export const values: Record<string, any> = index.values;
export const entries: Record<string, Entry> = index.arrays;
/** What was compared, and how often it differed. */
export const tally = { checks: 0, failures: 0 };

export function array(name: string): Float32Array {
  const { type, shape, offset } = entries[name];
  const count = shape.reduce((a, b) => a * b, 1);
  const read = (i: number): number =>
    type === "uint8"
      ? content.readUInt8(offset + i)
      : type === "int32"
        ? content.readInt32LE(offset + i * 4)
        : content.readFloatLE(offset + i * 4);
  return Float32Array.from({ length: count }, (_, i) => read(i));
}

export function raster(name: string): Raster {
  const [rows, columns, channels = 1] = entries[name].shape;
  return new Raster(rows, columns, channels, array(name));
}

/** Compare: mean difference, and the share of numbers that may differ more than `most`. */
export function close(name: string, found: Numbers, wanted: Numbers, mean: number, most = Infinity): void {
  tally.checks += 1;
  let [total, worst] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(found[i] - wanted[i]);
    total += difference;
    worst = Math.max(worst, difference);
  }
  const average = total / wanted.length;
  if (found.length === wanted.length && average <= mean && worst <= most) return;
  tally.failures += 1;
  console.log(`${name}: mean difference ${average}, largest ${worst}, ${found.length} numbers`);
}

export function matches(name: string, found: Numbers, mean: number, most = Infinity): void {
  close(name, found, array(name), mean, most);
}

export function colours(photo: Pixels, every = 1): number[] {
  const result: number[] = [];
  for (let y = 0; y < photo.rows; y += every) {
    for (let x = 0; x < photo.columns; x += every) {
      result.push(...photo.rgba.subarray((y * photo.columns + x) * 4).subarray(0, 3));
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

export function opaque(rows: number, columns: number, rgb: Numbers): Pixels {
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

export const square = ({ x, y, size, roll }: any): Crop => new Crop(x, y, size, roll);
export const vectors = (flat: Numbers): Vector[] =>
  Array.from({ length: flat.length / 3 }, (_, i) => [flat[i * 3], flat[i * 3 + 1], flat[i * 3 + 2]]);
