// SPDX-License-Identifier: Apache-2.0
/**
 * MediaPipe's face detectors: single shots over a grid of anchors, overlapping ones averaged.
 *
 * Reference: Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
 * GPUs".
 */
import { detector as constants } from "../constants.json";
import { clamp } from "../image/raster";
import type { Models } from "../models/library";
import type { Pyramid, Region } from "./region";
import type { Tones } from "./tone";

const { CONFIDENCE, KEY_POINTS, SAME_FACE } = constants;

/** How a detector's outputs lie on its input. */
export interface Layout {
  readonly model: string;
  readonly input: string;
  /** Names of its outputs. */
  readonly boxes: string;
  readonly scores: string;
  readonly side: number;
  /** Cells a side, and anchors a cell, of each grid. */
  readonly grids: readonly (readonly number[])[];
}

/** Faces down to 7 % of the frame's width. */
export const FULL: Layout = constants.FULL;
/** Faces that fill the frame. */
export const SHORT: Layout = constants.SHORT;

type Point = readonly [number, number];

/** A face as a detector sees it, in pixels of the photo. */
export interface Detection {
  /** Middle of its box. */
  readonly x: number;
  readonly y: number;
  /** Of its box, along the region's own axes. */
  readonly width: number;
  readonly height: number;
  /** The subject's right eye, left eye, nose tip, mouth, right and left ear. */
  readonly points: readonly Point[];
  /** Certainty in [0, 1]. */
  readonly score: number;
}

/** One way to look for faces. */
export interface Sight {
  readonly layout: Layout;
  readonly region: Region;
  /** What is done to the picture's tones. */
  readonly tones?: Tones;
  /** Whether the photo's edge repeats outside it; else it is black there. */
  readonly repeat?: boolean;
}

/** Faces in a region of a photo, the most certain first. */
export async function detect(
  models: Models,
  photo: Pyramid,
  { layout, region, tones, repeat = false }: Sight,
): Promise<Detection[]> {
  const sampled = photo.sample(region, layout.side, repeat);
  if (sampled === null) return [];
  const seen = tones ? tones(sampled) : sampled;
  const found = await models.run(layout.model, {
    [layout.input]: seen.map((value) => value / 127.5 - 1),
  });
  const [raw, scores] = [found[layout.boxes], found[layout.scores]];
  const likely: Detection[] = [];
  anchors(layout).forEach(([x, y], i) => {
    const score = sigmoid(scores[i]);
    if (score < CONFIDENCE) return;
    const values = Array.from({ length: 4 + 2 * KEY_POINTS }, (_, k) => raw[i * 16 + k] / layout.side);
    likely.push({
      x: values[0] + x,
      y: values[1] + y,
      width: values[2],
      height: values[3],
      points: Array.from({ length: KEY_POINTS }, (_, k): Point => [
        values[4 + 2 * k] + x,
        values[5 + 2 * k] + y,
      ]),
      score,
    });
  });
  return merged(likely).map((one) => {
    const [x, y] = region.toPhoto(one.x, one.y);
    const [width, height] = [one.width * region.side, one.height * region.side];
    return { ...one, x, y, width, height, points: one.points.map((p) => region.toPhoto(...p)) };
  });
}

/** Middles of a detector's cells in [0, 1], as often as each has anchors. */
function anchors({ grids }: Layout): Point[] {
  return grids.flatMap(([count, repeated]) =>
    Array.from({ length: count * count * repeated }, (_, i): Point => {
      const place = Math.floor(i / repeated);
      return [((place % count) + 0.5) / count, (Math.floor(place / count) + 0.5) / count];
    }),
  );
}

/** Detections of one face averaged by their scores, the most certain first. */
function merged(found: readonly Detection[]): Detection[] {
  let rest = [...found].sort((a, b) => b.score - a.score);
  const result: Detection[] = [];
  while (rest.length > 0) {
    const [best] = rest;
    const same = rest.filter((other) => other === best || overlap(best, other) > SAME_FACE);
    const total = same.reduce((sum, { score }) => sum + score, 0);
    const mean = (value: (one: Detection) => number): number =>
      same.reduce((sum, one) => sum + value(one) * one.score, 0) / total;
    result.push({
      x: mean(({ x }) => x),
      y: mean(({ y }) => y),
      width: mean(({ width }) => width),
      height: mean(({ height }) => height),
      points: best.points.map((_, k): Point => [
        mean(({ points }) => points[k][0]),
        mean(({ points }) => points[k][1]),
      ]),
      score: best.score,
    });
    rest = rest.filter((other) => !same.includes(other));
  }
  return result;
}

/** Intersection over union of two boxes. */
function overlap(a: Detection, b: Detection): number {
  const shared = (middle: "x" | "y", side: "width" | "height"): number =>
    Math.min(a[middle] + a[side] / 2, b[middle] + b[side] / 2) -
    Math.max(a[middle] - a[side] / 2, b[middle] - b[side] / 2);
  const area = Math.max(shared("x", "width"), 0) * Math.max(shared("y", "height"), 0);
  return area / (a.width * a.height + b.width * b.height - area);
}

/** A probability from its logarithmic odds. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-clamp(logit, -100, 100)));
}
