// SPDX-License-Identifier: Apache-2.0
/** All faces of a photo. */
import { face as constants } from "../constants.json";
import { bounds, Crop } from "../geometry";
import { clamp, Pixels } from "../image/raster";
import { shrinkPixels } from "../image/resample";
import { faceFrom, faceSize, type Box, type Face } from "./face";
import type { Found, Perception } from "./perception";

const { ALONE, DETECTION_SIDE, FACE_LEVEL, LEAST_POWER, MESH_MARGIN, MESH_SIDE, SMALLEST_FACE, TILE_BELOW } =
  constants;

/** All faces of a photo, largest first; an empty list when there is none. */
export async function findFaces(perception: Perception, photo: Pixels): Promise<Face[]> {
  const longest = Math.max(photo.rows, photo.columns);
  if (Math.min(photo.rows, photo.columns) < SMALLEST_FACE) return [];
  const factor = 2 ** Math.max(0, Math.round(Math.log2(longest / DETECTION_SIDE)));
  const small = shrinkPixels(photo, factor);
  const faces: Face[] = [];
  const keep = (landmarks: Float32Array | null): void => {
    if (landmarks === null) return;
    const face = faceFrom(landmarks, photo.rows, photo.columns);
    const known = faces.some((other) => overlap(face.box, other.box) >= 0.3);
    if (face.box[2] >= SMALLEST_FACE && !known) faces.push(face);
  };
  for (const search of [searchWhole, searchDark, searchTiles]) {
    const widest = Math.max(0, ...faces.map((face) => face.box[2]));
    const enough = (faces.length === 1 ? ALONE : TILE_BELOW) * longest;
    if (faces.length > 0 && (search !== searchTiles || widest > enough)) continue;
    const found = await search(perception, small);
    for (const { box } of found.sort((a, b) => b.score - a.score)) {
      const full = box.map((value) => value * factor) as unknown as Box;
      if (full[2] < SMALLEST_FACE) continue;
      if (faces.some((face) => overlap(full, face.box) > 0.5)) continue;
      keep(await fitMesh(perception, photo, full));
    }
    if (faces.length === 0) {
      // A face that fills the frame is seen by Face Mesh's own short-range perception alone.
      const seen = search === searchDark ? brightened(small) : small;
      for (const points of await perception.landmarks(seen)) keep(points.map((x) => x * factor));
    }
  }
  return faces.sort((a, b) => faceSize(b) - faceSize(a));
}

function searchWhole(perception: Perception, photo: Pixels): Promise<Found[]> {
  return perception.boxes(photo);
}

/** Boxes in a photo too dark for the perception as it is. */
function searchDark(perception: Perception, photo: Pixels): Promise<Found[]> {
  return perception.boxes(brightened(photo));
}

/** Boxes of small faces: 2 x 2 then 4 x 4 overlapping tiles, each a larger part of its view. */
async function searchTiles(perception: Perception, photo: Pixels): Promise<Found[]> {
  for (const count of [2, 4]) {
    const high = Math.ceil((photo.rows / count) * 1.25);
    const wide = Math.ceil((photo.columns / count) * 1.25);
    const found: Found[] = [];
    const start = (k: number, space: number): number => Math.floor((k * space) / (count - 1));
    for (let k = 0; k < count * count; k++) {
      const top = start(Math.floor(k / count), photo.rows - high);
      const left = start(k % count, photo.columns - wide);
      for (const { box, score } of await perception.boxes(cut(photo, top, left, high, wide))) {
        found.push({ box: [box[0] + left, box[1] + top, box[2], box[3]], score });
      }
    }
    if (found.length > 0) return found;
  }
  return [];
}

function cut(photo: Pixels, top: number, left: number, rows: number, columns: number): Pixels {
  const rgba = new Uint8ClampedArray(rows * columns * 4);
  for (let y = 0; y < rows; y++) {
    const from = ((top + y) * photo.columns + left) * 4;
    rgba.set(photo.rgba.subarray(from, from + columns * 4), y * columns * 4);
  }
  return new Pixels(rows, columns, rgba);
}

/** Landmarks of the face in a detector's box, in pixels of the photo, or null. */
async function fitMesh(perception: Perception, photo: Pixels, box: Box): Promise<Float32Array | null> {
  const [left, top, width, height] = box;
  const side = Math.max(8, Math.round(Math.max(width, height) * MESH_MARGIN));
  const square = new Crop(left + width / 2, top + height / 2, side);
  const seen = square.extract(photo, MESH_SIDE);
  if (seen === null) return null;
  const view = lifted(seen);
  let candidates = await perception.landmarks(view, true);
  if (candidates.length === 0) candidates = await perception.landmarks(brightened(view), true);
  let [best, most]: [Float32Array | null, number] = [null, 0.2];
  for (const points of candidates) {
    const scale = side / MESH_SIDE;
    const landmarks = points.map((value, i) => {
      const origin = i % 3 === 0 ? square.x - side / 2 : i % 3 === 1 ? square.y - side / 2 : 0;
      return value * scale + origin;
    });
    const [x, y, right, bottom] = bounds(landmarks);
    const share = overlap([x, y, right - x, bottom - y], box);
    if (share > most) [best, most] = [landmarks, share];
  }
  return best;
}

/** A dark face's tones, or a half dark one's, raised for Face Mesh's eyes only. */
function lifted(photo: Pixels): Pixels {
  const counts = new Uint32Array(256);
  const rim = Math.floor(photo.rows / 5);
  for (let y = rim; y < photo.rows - rim; y++) {
    for (let x = rim; x < photo.columns - rim; x++) {
      const [r, g, b] = photo.rgba.subarray((y * photo.columns + x) * 4);
      counts[Math.max(r, g, b)] += 1;
    }
  }
  const half = Math.floor(((photo.rows - 2 * rim) * (photo.columns - 2 * rim)) / 2);
  let [middle, below] = [0, counts[0]];
  while (below <= half) below += counts[++middle];
  const level = clamp(middle, 1, 254) / 255;
  const power = clamp(Math.log(FACE_LEVEL) / Math.log(level), LEAST_POWER, 1);
  if (power === 1) return photo;
  return mapped(photo, (value) => Math.floor((value / 255) ** power * 255 + 0.5));
}

/** A dark picture's tones stretched, for the detector's eyes only. */
function brightened(photo: Pixels): Pixels {
  const counts = new Uint32Array(256);
  let total = 0;
  for (let y = 0; y < photo.rows; y += 4) {
    for (let x = 0; x < photo.columns; x += 4) {
      for (let c = 0; c < 3; c++) counts[photo.rgba[(y * photo.columns + x) * 4 + c]] += 1;
      total += 3;
    }
  }
  let [top, below] = [0, counts[0]];
  while (top < 250 && below < 0.99 * total) below += counts[++top];
  return mapped(photo, (value) =>
    Math.floor(clamp(value / Math.max(top, 1), 0, 1) ** 0.6 * 255),
  );
}

/** A photo whose colours, not its opacity, go through a table. */
function mapped(photo: Pixels, tone: (value: number) => number): Pixels {
  const table = Array.from({ length: 256 }, (_, value) => tone(value));
  const colours = photo.rgba.map((value, i) => (i % 4 === 3 ? value : table[value]));
  return new Pixels(photo.rows, photo.columns, colours);
}

/** Intersection over the smaller of two boxes. */
function overlap(a: Box, b: Box): number {
  const wide = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / Math.max(Math.min(a[2] * a[3], b[2] * b[3]), 1e-6);
}
