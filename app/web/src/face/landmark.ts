// SPDX-License-Identifier: Apache-2.0
/**
 * Face Mesh V2: the landmarks of one face.
 *
 * Reference: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on
 * Mobile GPUs".
 */
import { landmark as constants } from "../constants.json";
import { bounds } from "../geometry";
import type { Models } from "../models/library";
import { sigmoid, type Detection } from "./detector";
import { Region, type Pyramid } from "./region";
import type { Tones } from "./tone";

const { EYES, INPUT, LANDMARKS, MARGIN, MODEL, POINTS, PRESENCE, SIDE } = constants;

/** Landmarks of a face, and how sure the network is that one is there. */
export interface Fit {
  /** 478 triples; x right and y down in pixels of the photo, z in the same scale, smaller nearer. */
  readonly landmarks: Float32Array;
  /** In [0, 1]. */
  readonly presence: number;
}

/** Where to look for a detected face, upright by its eyes. */
export function regionOf({ x, y, width, height, points }: Detection): Region {
  const [right, left] = points;
  const angle = Math.atan2(left[1] - right[1], left[0] - right[0]);
  return new Region(x, y, MARGIN * Math.max(width, height), angle);
}

/** Where to look for a face whose landmarks are known, upright by its eyes. */
export function regionAgain(landmarks: Float32Array): Region {
  const [right, left] = EYES.map((k) => landmarks.subarray(k * 3, k * 3 + 2));
  const angle = Math.atan2(left[1] - right[1], left[0] - right[0]);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const across = Float64Array.from(landmarks, (value, i) => {
    if (i % 3 === 0) return value * cos + landmarks[i + 1] * sin;
    return i % 3 === 1 ? value * cos - landmarks[i - 1] * sin : 0;
  });
  const [low, top, high, bottom] = bounds(across);
  const [u, v] = [(low + high) / 2, (top + bottom) / 2];
  const side = MARGIN * Math.max(high - low, bottom - top);
  return new Region(u * cos - v * sin, u * sin + v * cos, side, angle);
}

/** Landmarks of the face in a region, or null if there are none. */
export async function fit(
  models: Models,
  photo: Pyramid,
  region: Region,
  tones?: Tones,
): Promise<Fit | null> {
  const sampled = photo.sample(region, SIDE, true);
  if (sampled === null) return null;
  const seen = tones ? tones(sampled) : sampled;
  const found = await models.run(MODEL, { [INPUT]: seen.map((value) => value / 255) });
  const raw = found[POINTS];
  if (!raw.every(Number.isFinite)) return null;
  const landmarks = new Float32Array(LANDMARKS * 3);
  for (let i = 0; i < landmarks.length; i += 3) {
    landmarks.set(region.toPhoto(raw[i] / SIDE, raw[i + 1] / SIDE), i);
    landmarks[i + 2] = (raw[i + 2] / SIDE) * region.side;
  }
  return { landmarks, presence: sigmoid(found[PRESENCE][0]) };
}
