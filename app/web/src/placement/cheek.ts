// SPDX-License-Identifier: Apache-2.0
/** The skin of both cheeks, on which key and fill are measured: not the hair or glasses over it. */
import { linearized, luminance } from "../color";
import { analysis, cheek as constants } from "../constants.json";
import { LOOPS, POINTS } from "../face/mesh";
import { solve } from "../face/pose";
import { dilate, erode } from "../image/filter";
import { Raster } from "../image/raster";
import type { View } from "../stage/view";

const {
  CHEEK,
  DARKER_STOPS,
  DARKEST,
  DEEP,
  FIRMNESS,
  LEAST_SKIN,
  QUARTER,
  REDDER_STOPS,
  ROUNDS,
  STRAND,
} = constants;
const { SKIN } = analysis;

/** Where the cheeks lie on a crop, as the head stands upright: 1, else 0. */
export interface Cheeks {
  readonly left: Raster;
  readonly right: Raster;
}

/** The skin nearest to the flat of both cheeks; further in where one is turned away or covered. */
export function cheeks(view: View): Cheeks {
  const { landmarks, mesh } = view;
  const skin = bare(view, linearized(view.photo));
  const places = [...skin.data.keys()].filter((i) => skin.data[i] > 0);
  let level = 0;
  for (let k = 0; k < POINTS; k++) level += landmarks[k * 3 + 2] / POINTS;
  const [left, right] = ["right_cheek", "left_cheek"].map((name) => {
    const loop = LOOPS[name];
    const [x, y, z] = [0, 1, 2].map(
      (axis) => loop.reduce((sum, k) => sum + landmarks[k * 3 + axis], 0) / loop.length,
    );
    const away = places.map((i) => {
      const [row, column] = [Math.floor(i / skin.columns), i % skin.columns];
      const deeper = mesh.depth.data[i] - level + z;
      return (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 + deeper ** 2;
    });
    const order = [...places.keys()].sort((a, b) => away[a] - away[b]);
    const found = new Raster(skin.rows, skin.columns, 1);
    for (const k of order.slice(0, CHEEK)) found.data[places[k]] = 1;
    return found;
  });
  return { left, right };
}

/**
 * Plain skin with nothing over it: 1, else 0; the face where none is known.
 *
 * Its light is fitted as a logarithm that changes with the normal, along x on each side apart. What
 * is darker or redder than that is left out, and the light is fitted again.
 *
 * @param linear the photo in linear light.
 */
export function bare({ mesh, skin }: View, linear: Raster): Raster {
  const places = [...skin.data.keys()].filter((i) => skin.data[i] > SKIN);
  if (places.length === 0) return mesh.mask;
  const told = places.map((i) => {
    const [x, y, z] = mesh.normals.data.subarray(i * 3, i * 3 + 3);
    return [1, Math.max(x, 0), Math.max(-x, 0), y, z];
  });
  const seen = places.map((i) => {
    const [r, g, b] = linear.data.subarray(i * 3, i * 3 + 3).map((value) => Math.max(value, DEEP));
    return [Math.log2(luminance(r, g, b)), Math.log2(r / g)];
  });
  let kept = places.map(() => true);
  for (let round = 0; round < ROUNDS; round++) {
    const lights = [0, 1].map((part) => fitted(told, seen, kept, part));
    const still = told.map((row, k) => {
      const [darker, redder] = lights.map(
        (light, part) => seen[k][part] - row.reduce((sum, value, j) => sum + value * light[j], 0),
      );
      return darker > -DARKER_STOPS && redder < REDDER_STOPS;
    });
    if (!still.includes(true)) break;
    kept = still;
  }
  for (const isLeft of [true, false]) {
    const side = [...places.keys()].filter((k) => mesh.normals.data[places[k] * 3] < 0 === isLeft);
    const known = side.filter((k) => kept[k]).length;
    if (known < LEAST_SKIN * side.length) for (const k of side) kept[k] = true;
  }
  const clear = mesh.mask.map((inside) => (inside > 0 ? 1 : 0));
  places.forEach((i, k) => {
    if (!kept[k]) clear.data[i] = 0;
  });
  // Strands of hair may be as bright as skin; what is no plain skin, an eye say, divides none.
  const wide = dilate(erode(clear, STRAND), STRAND);
  const found = new Raster(skin.rows, skin.columns, 1);
  const inner = new Raster(skin.rows, skin.columns, 1);
  places.forEach((i, k) => {
    found.data[i] = Number(kept[k]);
    inner.data[i] = Number(kept[k] && wide.data[i] > 0);
  });
  return inner.data.includes(1) ? inner : found;
}

/** Coefficients of the light that comes closest to one part of what is seen of the pixels kept. */
function fitted(told: number[][], seen: number[][], kept: boolean[], part: number): number[] {
  const count = told[0].length;
  const squares = told[0].map(() => new Array<number>(count).fill(0));
  const products = new Array<number>(count).fill(0);
  let pixels = 0;
  told.forEach((row, k) => {
    if (!kept[k]) return;
    pixels++;
    for (let i = 0; i < count; i++) {
      products[i] += row[i] * seen[k][part];
      for (let j = 0; j < count; j++) squares[i][j] += row[i] * row[j];
    }
  });
  for (let i = 0; i < count; i++) squares[i][i] += i === 0 ? 1 : FIRMNESS * pixels;
  const light = solve(squares, products);
  if (light === null) throw new Error("squares and more are not singular");
  return light;
}

/** Brightness of both cheeks on a picture of the crop, linear light. */
export function cheekBrightness({ left, right }: Cheeks, linear: Raster): [number, number] {
  const shown = brightness(linear);
  return [middle(within(shown, left)), middle(within(shown, right))];
}

/** Key-to-fill on a picture of the crop: the brighter over the darker cheek, >= 1. */
export function cheekRatio(found: Cheeks, linear: Raster): number {
  const both = cheekBrightness(found, linear);
  return Math.max(...both) / Math.min(...both);
}

/** Mean of the values without the darkest and brightest quarters; at least DARKEST. */
export function middle(values: Float32Array): number {
  const out = Math.floor(values.length / QUARTER);
  const inner = values.slice().sort().subarray(out, values.length - out);
  if (inner.length === 0) return DARKEST;
  return Math.max(inner.reduce((sum, value) => sum + value, 0) / inner.length, DARKEST);
}

/** Luminance of linear light of three channels. */
export function brightness({ columns, data, rows }: Raster): Raster {
  const result = new Raster(rows, columns, 1);
  for (let i = 0, k = 0; k < data.length; i++, k += 3) {
    result.data[i] = luminance(data[k], data[k + 1], data[k + 2]);
  }
  return result;
}

/** The numbers of one channel where a mask is not 0, row by row. */
export function within(values: Raster, mask: Raster): Float32Array {
  return values.data.filter((_, i) => mask.data[i] > 0);
}
