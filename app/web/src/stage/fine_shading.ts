// SPDX-License-Identifier: Apache-2.0
/** What the photo itself tells of the light already there: creases, and halves that differ. */
import { fine_shading as constants } from "../constants.json";
import { reflect, type Mirror } from "../face/mirror";
import { gaussianBlur } from "../image/filter";
import { clamp, Raster } from "../image/raster";

const { DARK, EVEN, EVEN_CONTRAST, FINE, LIMIT, ODD, ODD_CONTRAST, SEEN } = constants;

/**
 * Shading brought nearer to what the photo shows: both halves of a face have the same albedo, and
 * faces have much the same albedo in the same place. What differs from that is light.
 *
 * @param logShading natural logarithm of the existing light's shading, triples.
 * @param linear the photo in linear light.
 * @param images mirror images of the face's points, and what is usual there.
 * @param face 1 on the visible face, else 0.
 * @param other how far a pixel's colour is not the skin's, in [0, 1].
 * @returns triples; the mean of their exponential over the face is as it was.
 */
export function fineShading(
  logShading: Float32Array,
  linear: Raster,
  images: Mirror,
  face: Raster,
  other: Raster,
): Float32Array {
  const trust = images.trust.zip(face, (a, b) => a * b);
  const total = trust.data.reduce((sum, value) => sum + value, 0);
  if (total === 0) return logShading;
  const both = new Raster(face.rows, face.columns, 2);
  for (let i = 0; i < trust.data.length; i++) {
    const [red, green, blue] = linear.data.subarray(i * 3, i * 3 + 3);
    const [r, g, b] = logShading.subarray(i * 3, i * 3 + 3);
    const grey = (r + g + b) / 3;
    const seen = Math.log(Math.max((red + green + blue) / 3, DARK));
    both.data.set([seen - images.albedo.data[i] - grey, grey], i * 2);
  }
  const mirrored = reflect(both, images);
  const even = both.zip(mirrored, (a, b) => (a + b) / 2);
  const odd = both.zip(mirrored, (a, b) => (a - b) / 2);
  const wide = average(even.channel(0), trust);
  const evenBelief = belief(even.channel(1), trust, total, EVEN, EVEN_CONTRAST);
  const oddBelief = belief(odd.channel(1), trust, total, ODD, ODD_CONTRAST);
  const change = trust.map((share, i) => {
    const fine = even.data[i * 2] - wide.data[i];
    const found =
      evenBelief * clamp(fine, -LIMIT, LIMIT) + oddBelief * clamp(odd.data[i * 2], -LIMIT, LIMIT);
    const skin = found < 0 ? 1 - other.data[i] : 1;
    return found * share * (1 - images.open.data[i]) * skin;
  });
  const found = logShading.map((value, i) => value + change.data[Math.floor(i / 3)]);
  const level = Math.log(brightness(found, face) / brightness(logShading, face));
  return found.map((value) => value - level);
}

/** Sum over the face of what logarithms stand for. */
function brightness(logs: Float32Array, face: Raster): number {
  return logs.reduce((sum, value, i) => sum + face.data[Math.floor(i / 3)] * Math.exp(value), 0);
}

/** Values around each pixel of the trusted face. */
function average(values: Raster, trust: Raster): Raster {
  const share = gaussianBlur(trust, FINE);
  const near = gaussianBlur(values.weighted(trust), FINE);
  return near.zip(share, (value, own) => value / Math.max(own, SEEN));
}

/** How far the photo is believed where a part of the shading has some contrast. */
function belief(
  shading: Raster,
  trust: Raster,
  total: number,
  most: number,
  [low, high]: number[],
): number {
  const over = (value: (own: number) => number): number =>
    shading.data.reduce((sum, own, i) => sum + value(own) * trust.data[i], 0) / total;
  const mean = over((own) => own);
  const deviation = Math.sqrt(over((own) => (own - mean) ** 2));
  return most * clamp((deviation - low) / (high - low), 0, 1);
}
