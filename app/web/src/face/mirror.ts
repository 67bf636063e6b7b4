// SPDX-License-Identifier: Apache-2.0
/** Where each point of a face has its mirror image: the same place on the other half of the face. */
import { mirror as constants } from "../constants.json";
import { smoothstep } from "../geometry";
import { gaussianBlur } from "../image/filter";
import { clamp, Raster, type Pixels } from "../image/raster";
import { LOG_ALBEDO, POINTS, rasterize, region, VERTICES, vertexNormals } from "./mesh";

const { IRISES, OPENINGS, RIM, TURNED_AWAY } = constants;

/** The mirror images of a face's points, drawn into a square. */
export interface Mirror {
  /** x and y, in pixels of the drawing, of each point's mirror image; 0 outside the mesh. */
  readonly position: Raster;
  /** In [0, 1]: 0 outside the mesh and where the mirror image is turned away from the camera. */
  readonly trust: Raster;
  /** Natural logarithm of the albedo that faces usually have there. */
  readonly albedo: Raster;
  /** In [0, 1], eyes and an open mouth. */
  readonly open: Raster;
}

/** Each landmark's mirror image among the landmarks. */
export const PARTNERS: readonly number[] = VERTICES.map(([x, y, z]) => {
  let [best, nearest] = [0, Infinity];
  VERTICES.forEach(([u, v, w], i) => {
    const away = (x + u) ** 2 + (y - v) ** 2 + (z - w) ** 2;
    if (away < nearest) [best, nearest] = [i, away];
  });
  return best;
});

/**
 * Whether a picture is brighter to image left than to image right.
 *
 * Trained networks are not symmetric, so they are asked about one of a photo and its mirror image
 * alone, the one that is brighter to image right. Whole numbers: all languages choose alike.
 */
export function brighterLeft(picture: Pixels): boolean {
  const { channels, columns, rows } = picture;
  const line = new Float32Array(columns * channels);
  const half = Math.floor(columns / 2) * channels;
  let more = 0;
  for (let y = 0; y < rows; y++) {
    picture.row(y, line);
    for (let i = 0; i < half; i++) {
      more += line[i] - line[line.length - 1 - i];
    }
  }
  return more > 0;
}

/** The landmarks of a photo's mirror image, of those of the photo, whose width is given. */
export function mirroredLandmarks(landmarks: Float32Array, width: number): Float32Array {
  const result = new Float32Array(landmarks.length);
  [...PARTNERS, ...IRISES].forEach((k, i) => {
    result.set([width - landmarks[k * 3], landmarks[k * 3 + 1], landmarks[k * 3 + 2]], i * 3);
  });
  return result;
}

/**
 * Draw where the mirror images of a face's points lie.
 *
 * @param landmarks triples in pixels of the drawing, z in the same scale, smaller nearer.
 */
export function mirror(landmarks: Float32Array, side: number): Mirror {
  const camera = landmarks.slice(0, POINTS * 3).map((value, i) => (i % 3 === 0 ? value : -value));
  const normals = vertexNormals(camera);
  const attributes = new Float64Array(POINTS * 4);
  PARTNERS.forEach((k, i) => {
    const place = [landmarks[k * 3], landmarks[k * 3 + 1], normals[k * 3 + 2]];
    attributes.set([...place, LOG_ALBEDO[i]], i * 4);
  });
  const [drawn, mask] = rasterize(landmarks, attributes, side);
  const [low, high] = TURNED_AWAY;
  const position = new Raster(side, side, 2);
  for (let i = 0; i < side * side; i++) position.data.set(drawn.data.subarray(i * 4, i * 4 + 2), i * 2);
  const facing = drawn.channel(2).map((cosine) => smoothstep(cosine, low, high));
  const open = gaussianBlur(region(landmarks, OPENINGS, side), RIM);
  return { position, trust: facing.weighted(mask), albedo: drawn.channel(3), open };
}

/** Each point's mirror image of some values, bilinear; outside the mesh they say nothing. */
export function reflect(values: Raster, { position }: Mirror): Raster {
  const { rows, columns, channels, data } = values;
  const result = new Raster(rows, columns, channels);
  for (let i = 0; i < rows * columns; i++) {
    const x = clamp(position.data[i * 2] - 0.5, 0, columns - 1);
    const y = clamp(position.data[i * 2 + 1] - 0.5, 0, rows - 1);
    const [left, top] = [Math.min(Math.floor(x), columns - 2), Math.min(Math.floor(y), rows - 2)];
    const [u, v] = [x - left, y - top];
    for (let c = 0; c < channels; c++) {
      const at = (top * columns + left) * channels + c;
      const below = at + columns * channels;
      const upper = data[at] * (1 - u) + data[at + channels] * u;
      const lower = data[below] * (1 - u) + data[below + channels] * u;
      result.data[i * channels + c] = upper * (1 - v) + lower * v;
    }
  }
  return result;
}
