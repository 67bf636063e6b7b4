// SPDX-License-Identifier: Apache-2.0
/** What a face's pixels say of the light on it: how bright its cheeks are, how well exposed it is. */
import { linearized, luminance } from "../color";
import { analysis as seen, reading as constants } from "../constants.json";
import { faceSize } from "../face/face";
import { region } from "../face/mesh";
import { headAngles, type Matrix } from "../geometry";
import { clamp, Raster } from "../image/raster";
import type { Analysis } from "../stage/analysis";
import { SIDE, type View } from "../stage/view";

const { BRIGHT, DARKEST, FRONTAL_DEG, LEAST_CHEEK, LEVELS, MOST_STOPS, QUARTER } = constants;
const { SKIN } = seen;
const UPRIGHT: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** Where the cheeks lie on a crop, as the head stands upright: 1, else 0. */
export interface Cheeks {
  readonly left: Raster;
  readonly right: Raster;
}

/** The flat of both cheeks, of plain skin; or the sides of a face that shows only one. */
export function cheeks(view: View): Cheeks {
  const { mask, normals } = view.mesh;
  const plain = view.skin.map((trust) => (trust > SKIN ? 1 : 0));
  const skin = count(plain) > 0 ? plain : mask;
  const on = (name: string): Raster =>
    region(view.landmarks, [name], SIDE).zip(skin, (a, b) => a * b);
  const [left, right] = [on("right_cheek"), on("left_cheek")];
  if (Math.min(count(left), count(right)) >= LEAST_CHEEK) return { left, right };
  return sides(view, skin, normals.channel(0));
}

/** The quarters of the skin that face furthest to the left and to the right. */
export function sides({ mesh }: View, skin: Raster, across: Raster): Cheeks {
  const order = across.data.filter((_, i) => skin.data[i] > 0).sort();
  const part = Math.floor(order.length / QUARTER);
  if (part === 0) return { left: mesh.mask, right: mesh.mask };
  const low = order[part];
  const high = order[order.length - 1 - part];
  return {
    left: skin.zip(across, (inside, x) => (inside > 0 && x <= low ? 1 : 0)),
    right: skin.zip(across, (inside, x) => (inside > 0 && x >= high ? 1 : 0)),
  };
}

/** Median brightness of both cheeks on a picture of the crop, linear light. */
export function cheekBrightness({ left, right }: Cheeks, linear: Raster): [number, number] {
  const shown = brightness(linear);
  return [middle(within(shown, left)), middle(within(shown, right))];
}

/** Key-to-fill on a picture of the crop: the brighter over the darker cheek, >= 1. */
export function cheekRatio(found: Cheeks, linear: Raster): number {
  const both = cheekBrightness(found, linear);
  return Math.max(...both) / Math.min(...both);
}

/** The median, of an even number the higher; at least DARKEST. */
export function middle(values: Float32Array): number {
  if (values.length === 0) return DARKEST;
  return Math.max(values.slice().sort()[Math.floor(values.length / 2)], DARKEST);
}

/** What a face's pixels, and the light estimated from them, say; for an upright head. */
export interface Reading {
  /** Luminance of the cheek turned to image left, */
  readonly left: number;
  /** of the other, */
  readonly right: number;
  /** of the face, */
  readonly mean: number;
  /** and of its bright skin. */
  readonly bright: number;
  /** Stops by which the estimated light is brighter from image right, for a face to the camera. */
  readonly around: number;
  /** Of the nose, > 0 to image right. */
  readonly yaw_deg: number;
  /** Of the nose, > 0 up. */
  readonly pitch_deg: number;
  readonly size: number;
}

/** Key-to-fill: the brighter over the darker cheek. */
export function ratioOf({ left, right }: Reading): number {
  return Math.max(left, right) / Math.min(left, right);
}

/** The cheek on a side, +1 image right, over the other one. */
export function towardsSide({ left, right }: Reading, side: number): number {
  return side > 0 ? right / left : left / right;
}

/** Stops by which the light there is stronger from image right than from image left. */
export function leanOf({ around, left, right, yaw_deg }: Reading): number {
  const stops = clamp(Math.log2(right / left), -MOST_STOPS, MOST_STOPS);
  const trust = Math.max(0, 1 - Math.abs(yaw_deg) / FRONTAL_DEG) / 2;
  return around * (1 - trust) + stops * trust;
}

/** Stops by which the face is darker than most photographers expose one. */
export function dimnessOf({ bright, mean }: Reading): number {
  const stops = [mean, bright].map((own, i) => Math.log2(LEVELS[i] / Math.max(own, DARKEST)));
  return (stops[0] + stops[1]) / stops.length;
}

/** Read a face's light. */
export function read({ cropEnvironment, face, view }: Analysis): Reading {
  const linear = linearized(view.photo);
  const [left, right] = cheekBrightness(cheeks(view), linear);
  const shown = brightness(linear);
  const inside = within(shown, view.mesh.mask);
  const plain = within(shown, view.skin.map((trust) => (trust > SKIN ? 1 : 0)));
  const skin = (plain.length > 0 ? plain : inside.slice()).sort();
  const [beside, opposite] = cropEnvironment.cheeks(UPRIGHT);
  const [yaw, pitch] = headAngles(face.cropPose);
  return {
    left,
    right,
    mean: inside.length > 0 ? mean(inside) : DARKEST,
    bright: skin.length > 0 ? skin[Math.floor(BRIGHT * (skin.length - 1))] : DARKEST,
    around: Math.log2(Math.max(opposite, DARKEST) / Math.max(beside, DARKEST)),
    yaw_deg: yaw,
    pitch_deg: pitch,
    size: faceSize(face),
  };
}

/** One reading of a group: the mean of its members', weighted by their faces' sizes. */
export function together(readings: readonly Reading[]): Reading {
  const total = readings.reduce((sum, { size }) => sum + size, 0);
  const average = (value: (reading: Reading) => number): number =>
    readings.reduce((sum, reading) => sum + value(reading) * reading.size, 0) / total;
  return {
    left: 2 ** average((r) => Math.log2(r.left)),
    right: 2 ** average((r) => Math.log2(r.right)),
    mean: 2 ** average((r) => Math.log2(Math.max(r.mean, DARKEST))),
    bright: 2 ** average((r) => Math.log2(Math.max(r.bright, DARKEST))),
    around: average((r) => r.around),
    yaw_deg: average((r) => r.yaw_deg),
    pitch_deg: average((r) => r.pitch_deg),
    size: total,
  };
}

function brightness({ columns, data, rows }: Raster): Raster {
  const result = new Raster(rows, columns, 1);
  for (let i = 0, k = 0; k < data.length; i++, k += 3) {
    result.data[i] = luminance(data[k], data[k + 1], data[k + 2]);
  }
  return result;
}

function within(values: Raster, mask: Raster): Float32Array {
  return values.data.filter((_, i) => mask.data[i] > 0);
}

function count(mask: Raster): number {
  return mask.data.reduce((total, value) => total + value, 0);
}

function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
