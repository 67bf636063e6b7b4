// SPDX-License-Identifier: Apache-2.0
/** What a face's pixels say of the light on it: how bright its cheeks are, how well exposed it is. */
import { linearized } from "../color";
import { analysis as seen, cheek, reading as constants } from "../constants.json";
import { faceSize } from "../face/face";
import { headAngles, type Matrix } from "../geometry";
import { clamp } from "../image/raster";
import type { Analysis } from "../stage/analysis";
import { brightness, cheekBrightness, cheeks, within } from "./cheek";

const { BRIGHT, FRONTAL_DEG, LEVELS, MOST_STOPS } = constants;
const { DARKEST } = cheek;
const { SKIN } = seen;
const UPRIGHT: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

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

function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
