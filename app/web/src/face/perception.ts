// SPDX-License-Identifier: Apache-2.0
/**
 * MediaPipe's face detectors, Face Mesh and selfie segmentation, as its graphs run them.
 *
 * References: Bazarevsky et al. 2019, "BlazeFace"; Kartynnik et al. 2019, "Real-time Facial Surface
 * Geometry from Monocular Video on Mobile GPUs".
 */
import { mesh } from "../constants.json";
import type { Models } from "../models/library";
import { clamp, type Pixels, Raster } from "../image/raster";

/** Left, top, width, height in pixels, and the detector's certainty. */
export interface Found {
  readonly box: [number, number, number, number];
  readonly score: number;
}

/** A detection with its key points: the eyes first, image left and image right. */
interface Detection extends Found {
  readonly points: [number, number][];
}

/** A square of a picture, turned: middle and side in pixels, angle in radians. */
interface Region {
  readonly x: number;
  readonly y: number;
  readonly side: number;
  readonly angle: number;
}

/** A single-shot detector: its input's side and, for each grid, cells a side and anchors a cell. */
interface Layout {
  readonly model: "face_full" | "face_short";
  readonly side: number;
  readonly grids: readonly (readonly [number, number])[];
}

const FULL: Layout = { model: "face_full", side: 192, grids: [[48, 1]] };
const SHORT: Layout = { model: "face_short", side: 128, grids: [[16, 2], [8, 6]] };
const CONFIDENCE = 0.5;
/** Where a box is known, Face Mesh may be less certain. */
const CONFIDENCE_IN_BOX = 0.3;
const FACES_IN_BOX = 3;
const SAME_FACE = 0.3;
const MESH_INPUT = 192;
const MESH_ENLARGED = 1.5;
const MESH_PRESENT = 0.5;
const PERSON_INPUT = 256;
const KEY_POINTS = 6;

export class Perception {
  constructor(private readonly models: Models) {}

  /** Faces down to 7 % of the frame's width. */
  boxes(photo: Pixels): Promise<Found[]> {
    return this.detect(FULL, photo, CONFIDENCE);
  }

  /**
   * Landmarks, 468 triples in pixels of the photo, of its most certain face.
   *
   * @param inBox that `boxes` saw a face here: up to three are found, with less certainty.
   */
  async landmarks(photo: Pixels, inBox = false): Promise<Float32Array[]> {
    const least = inBox ? CONFIDENCE_IN_BOX : CONFIDENCE;
    const found = await this.detect(SHORT, photo, least);
    const result: Float32Array[] = [];
    for (const detection of found.slice(0, inBox ? FACES_IN_BOX : 1)) {
      const points = await this.mesh(photo, detection);
      if (points !== null) result.push(points);
    }
    return result;
  }

  /** Probability in [0, 1] that a pixel of a 256 x 256 picture is part of a person. */
  async person(photo: Pixels): Promise<Raster> {
    const [mask] = await this.models.look("person", photo.toRaster().data);
    return new Raster(PERSON_INPUT, PERSON_INPUT, 1, mask.map((x) => clamp(x, 0, 1)));
  }

  private async mesh(photo: Pixels, { box, points }: Detection): Promise<Float32Array | null> {
    const [left, right] = points;
    const region: Region = {
      x: box[0] + box[2] / 2,
      y: box[1] + box[3] / 2,
      side: Math.max(box[2], box[3]) * MESH_ENLARGED,
      angle: Math.atan2(right[1] - left[1], right[0] - left[0]),
    };
    const input = sampled(photo, region, MESH_INPUT, true).map((x) => x / 255);
    const outputs = await this.models.look("face_mesh", input);
    const certain = outputs.find((output) => output.length === 1);
    const raw = outputs.find((output) => output.length === mesh.POINTS * 3);
    if (!certain || !raw || sigmoid(certain[0]) < MESH_PRESENT) return null;
    const [cos, sin] = [Math.cos(region.angle), Math.sin(region.angle)];
    const scale = region.side / MESH_INPUT;
    const result = new Float32Array(raw.length);
    for (let i = 0; i < raw.length; i += 3) {
      const [u, v] = [raw[i] - MESH_INPUT / 2, raw[i + 1] - MESH_INPUT / 2];
      result[i] = region.x + (u * cos - v * sin) * scale;
      result[i + 1] = region.y + (u * sin + v * cos) * scale;
      result[i + 2] = raw[i + 2] * scale;
    }
    return result.every(Number.isFinite) ? result : null;
  }

  private async detect(layout: Layout, photo: Pixels, least: number): Promise<Detection[]> {
    const { rows, columns } = photo;
    const side = Math.max(rows, columns);
    const whole: Region = { x: columns / 2, y: rows / 2, side, angle: 0 };
    const input = sampled(photo, whole, layout.side, false).map((x) => x / 127.5 - 1);
    const outputs = await this.models.look(layout.model, input);
    const [boxes, scores] =
      outputs[0].length > outputs[1].length ? outputs : [outputs[1], outputs[0]];
    const [left, top] = [(columns - side) / 2, (rows - side) / 2];
    const found: Detection[] = [];
    anchors(layout).forEach(([x, y], i) => {
      const score = sigmoid(clamp(scores[i], -100, 100));
      if (score < least) return;
      const values = boxes.subarray(i * 16, i * 16 + 16).map((value) => value / layout.side);
      const at = (k: number): [number, number] => [
        (values[k] + x) * side + left,
        (values[k + 1] + y) * side + top,
      ];
      const [centre, width, height] = [at(0), values[2] * side, values[3] * side];
      found.push({
        box: [centre[0] - width / 2, centre[1] - height / 2, width, height],
        score,
        points: Array.from({ length: KEY_POINTS }, (_, k) => at(4 + 2 * k)),
      });
    });
    return merged(found);
  }
}

/** Middles of a detector's cells in [0, 1], as often as each has anchors. */
function anchors({ grids }: Layout): [number, number][] {
  return grids.flatMap(([count, repeated]) =>
    Array.from({ length: count * count * repeated }, (_, i): [number, number] => {
      const place = Math.floor(i / repeated);
      return [((place % count) + 0.5) / count, (Math.floor(place / count) + 0.5) / count];
    }),
  );
}

/** Detections of one face joined, weighted by their certainty; the most certain first. */
function merged(found: Detection[]): Detection[] {
  let rest = [...found].sort((a, b) => b.score - a.score);
  const result: Detection[] = [];
  while (rest.length > 0) {
    const best = rest[0];
    const same = rest.filter((other) => other === best || union(best.box, other.box) > SAME_FACE);
    const total = same.reduce((sum, { score }) => sum + score, 0);
    const mean = (value: (one: Detection) => number): number =>
      same.reduce((sum, one) => sum + value(one) * one.score, 0) / total;
    const [left, top] = [mean(({ box }) => box[0]), mean(({ box }) => box[1])];
    const right = mean(({ box }) => box[0] + box[2]);
    const bottom = mean(({ box }) => box[1] + box[3]);
    result.push({
      box: [left, top, right - left, bottom - top],
      score: best.score,
      points: best.points.map((_, k) => [
        mean(({ points }) => points[k][0]),
        mean(({ points }) => points[k][1]),
      ]),
    });
    rest = rest.filter((other) => !same.includes(other));
  }
  return result;
}

/** Intersection over union of two boxes. */
function union(a: Found["box"], b: Found["box"]): number {
  const wide = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / (a[2] * a[3] + b[2] * b[3] - wide * high);
}

/**
 * A region of a picture, bilinear, `side * side * 3` numbers from 0 to 255.
 *
 * @param repeated whether the picture's edge repeats outside it; else it is black there.
 */
function sampled(photo: Pixels, region: Region, side: number, repeated: boolean): Float32Array {
  const result = new Float32Array(side * side * 3);
  const { rows, columns, rgba } = photo;
  const step = region.side / side;
  const [cos, sin] = [Math.cos(region.angle) * step, Math.sin(region.angle) * step];
  for (let row = 0, k = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [u, v] = [column - side / 2, row - side / 2];
      const x = region.x + u * cos - v * sin;
      const y = region.y + u * sin + v * cos;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      for (let c = 0; c < 3; c++, k++) {
        let value = 0;
        for (let corner = 0; corner < 4; corner++) {
          const [i, j] = [left + (corner & 1), top + (corner >> 1)];
          if (!repeated && (i < 0 || i >= columns || j < 0 || j >= rows)) continue;
          const at = clamp(j, 0, rows - 1) * columns + clamp(i, 0, columns - 1);
          value += (1 - Math.abs(x - i)) * (1 - Math.abs(y - j)) * rgba[at * 4 + c];
        }
        result[k] = value;
      }
    }
  }
  return result;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
