// SPDX-License-Identifier: Apache-2.0
/** Python's golden vectors, and comparing with them. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Crop, type Vector } from "../src/geometry";
import { Raster } from "../src/image/raster";

export type Numbers = ArrayLike<number>;
interface Entry {
  type: "float32" | "uint8" | "int32";
  shape: number[];
  offset: number;
}

const [folder] = process.argv.slice(2);
const index = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8"));
const content = gunzipSync(readFileSync(`${folder}/golden.bin.gz`));
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

export const square = ({ x, y, size, roll }: any): Crop => new Crop(x, y, size, roll);
export const vectors = (flat: Numbers): Vector[] =>
  Array.from({ length: flat.length / 3 }, (_, i) => [flat[i * 3], flat[i * 3 + 1], flat[i * 3 + 2]]);
