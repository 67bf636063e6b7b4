// SPDX-License-Identifier: Apache-2.0
/** Points that are smoothed over time, for Python to compare: a file of JSON in, JSON out. */
import { readFileSync } from "node:fs";
import { OneEuro } from "../src/live/smoothing";

interface Course {
  readonly size: number;
  readonly steps: readonly { readonly seconds: number; readonly points: number[] }[];
}

const { size, steps }: Course = JSON.parse(readFileSync(process.argv[2], "utf8"));
const filter = new OneEuro();
const found = steps.map(({ seconds, points }) => [
  ...filter.smooth(Float32Array.from(points), size, seconds),
]);
console.log(JSON.stringify(found));
