// SPDX-License-Identifier: Apache-2.0
/**
 * Neck, shoulders, chest and arms: their shape from the person's outline, and the key on them.
 *
 * The surface is blown up like a balloon that is tied down at the outline, round where the person is
 * narrow and flat, facing the camera, where it is wide.
 */
import {
  body as constants,
  geometry,
  guide,
  key,
  silhouette as silhouettes,
  view as shapes,
} from "../constants.json";
import type { Environment } from "../environment";
import type { Face } from "../face/face";
import type { Perception } from "../face/perception";
import type { FaceGain, Layer } from "../gain/guide";
import { bodyCrop, type Size } from "../gain/reach";
import { dot, normalizeTriples, smoothstep, type Crop, type Vector } from "../geometry";
import { blur } from "../image/filter";
import { clamp, Raster, roundEven, type Pixels } from "../image/raster";
import { resizeLinear, shrink } from "../image/resample";
import { isGrey } from "./quotient";
import { belief, shading } from "./shading";
import { settled, silhouette, type Look } from "./silhouette";
import type { View } from "./view";

const {
  DEPTH,
  INSIDE,
  LEVEL,
  LEVELS,
  LIT,
  MEETING,
  NEAR,
  NECK,
  ROUND,
  SHADED,
  SPREAD,
  STEPS,
  TIED,
  TRUST_SIDE,
  UNKNOWN,
  UPWARDS,
} = constants;
const { BODY_SIDE } = guide;
const { SEEN_SIDE } = silhouettes;

/** What one look at a body tells; all of it on its square, in the head's crop's frame. */
export interface Body {
  readonly crop: Crop;
  /** Probability of a person. */
  readonly person: Raster;
  readonly normals: Raster;
  /** Light already there, over the face's mean, three channels. */
  readonly existing: Raster;
  /** How much of the key's light falls on them, [0, 1]. */
  readonly trust: Raster;
  /** Weight with which the head's gain sets the level. */
  readonly meeting: Raster;
  /** Pixels over which that level may change. */
  readonly width: number;
  /** On the head's crop, how far the light there is this body's: where little is known of it. */
  readonly share: Raster;
  /** On the head's crop, trust in the light there that is made of both. */
  readonly onHead: Raster;
}

/** A person on the head's crop, and their body, null where none is seen. */
export interface Whole {
  readonly person: Raster;
  readonly body: Body | null;
}

/** What is known of the head when its body is looked at. */
export interface Head {
  readonly view: View;
  readonly normals: Raster;
  readonly confidence: Raster;
  readonly environment: Environment;
}

/** See the person below a face; null where the photo shows none. */
export async function lookBelow(
  perception: Perception,
  pixels: Pixels,
  face: Face,
): Promise<Look | null> {
  const crop = bodyCrop(face.crop, pixels);
  const seen = crop && crop.extract(pixels, SEEN_SIDE);
  if (crop === null || seen === null) return null;
  const person = withinPhoto(await perception.person(seen), crop, pixels);
  return { crop, photo: seen.toRaster(), person };
}

/**
 * A person and their body.
 *
 * @param seen the square around the body and what is seen there, if there is one; where the face is
 *   not seen, it tells nothing.
 */
export function bodyOf(
  seen: Look | null,
  face: Crop,
  { view, normals, confidence, environment }: Head,
): Whole {
  if (seen === null || isBlind(seen, face, view)) {
    return { person: settled(view.finePhoto, view.outline), body: null };
  }
  const { crop } = seen;
  const near = { crop: face, photo: view.finePhoto, person: view.outline };
  const [onHead, person] = silhouette(near, seen);
  const small = shrink(person, SEEN_SIDE / BODY_SIDE);
  const height = (face.size / geometry.CROP_SCALE / crop.size) * BODY_SIDE;
  const inside = small.map((p) => smoothstep(p, INSIDE[0], INSIDE[1]));
  const surface = inflated(inside, ROUND * height);
  const trust = new Raster(TRUST_SIDE, TRUST_SIDE, 1).map((_, i) => {
    const far = Math.hypot(...aroundFace(face, crop, TRUST_SIDE, i));
    return 1 - smoothstep(far, LIT[0], LIT[1]);
  });
  const trusted = face.ontoCrop(confidence, crop, BODY_SIDE, 0).data;
  const meeting = small.map((p, i) => {
    const [, below] = aroundFace(face, crop, BODY_SIDE, i);
    return p * trusted[i] * smoothstep(below, NECK[0], NECK[1]);
  });
  const existing = existingLight(surface, normals, view, environment);
  const width = 2 * roundEven((SPREAD * height) / 2) + 1;
  const known = confidence.zip(view.innerFace, Math.max);
  const lent = crop.ontoCrop(trust, face, known.rows).map((value, i) => {
    const [, below] = aroundFace(face, face, known.rows, i);
    return (1 - known.data[i]) * value * smoothstep(below, NECK[0], NECK[1]);
  });
  const both = known.zip(lent, (a, b) => a + b);
  const share = lent.zip(both, (part, whole) => part / Math.max(whole, UNKNOWN));
  const body = {
    crop, person, normals: surface, existing, trust, meeting, width, share, onHead: both,
  };
  return { person: onHead, body };
}

/** Whether the face is not seen on the square around the body. */
function isBlind({ crop, person }: Look, face: Crop, view: View): boolean {
  const small = shrink(person, SEEN_SIDE / BODY_SIDE).data;
  const onFace = face.ontoCrop(view.mesh.mask, crop, BODY_SIDE, 0).data;
  const total = (weight: (i: number) => number): number =>
    onFace.reduce((sum, value, i) => sum + value * weight(i), 0);
  return total((i) => small[i]) < shapes.BLIND * total(() => 1);
}

/** Where light on a body may fall. */
export function layerOf({ crop, person, trust }: Body): Layer {
  return { crop, person, confidence: trust };
}

/**
 * Key gain of a light's direction on head and body, for unit intensity and white light.
 *
 * @param face the face's crop.
 * @param headGain the same light's gain there.
 * @param direction towards the light, crop's frame.
 */
export function bodyGain(body: Body, face: Crop, headGain: Raster, direction: Vector): FaceGain {
  const { normals, existing, meeting, width, share } = body;
  const gain = existing.map((light, k) => {
    const at = k - (k % 3);
    const normal: Vector = [normals.data[at], normals.data[at + 1], normals.data[at + 2]];
    return diffuse(dot(normal, direction)) / light;
  });
  const met = face.ontoCrop(headGain, body.crop, BODY_SIDE).weighted(meeting);
  const own = gain.weighted(meeting);
  const all = [met, own].map(({ data }) =>
    [0, 1, 2].map((c) => data.reduce((sum, value, k) => (k % 3 === c ? sum + value : sum), MEETING)),
  );
  // Near the head its level is followed place by place, further away on average.
  const [near, mine] = [met, own].map((values) => blur(blur(values, width), width).data);
  const levelled = gain.map((value, k) => {
    const level = (near[k] + NEAR * all[0][k % 3]) / (mine[k] + NEAR * all[1][k % 3]);
    return value * clamp(level, LEVEL[0], LEVEL[1]);
  });
  const around = body.crop.ontoCrop(levelled, face, headGain.rows).data;
  const head = headGain.map((value, k) => value + share.data[Math.floor(k / 3)] * (around[k] - value));
  return { head, body: levelled };
}

/** Lambert's law with a soft terminator. */
function diffuse(cosine: number): number {
  const sharp = key.SHARPNESS * cosine;
  return (Math.max(sharp, 0) + Math.log1p(Math.exp(-Math.abs(sharp)))) / key.SHARPNESS;
}

/**
 * Normals of a surface blown up inside an outline: its height is the root of a solution of Poisson's
 * equation, screened.
 *
 * @param person 1 inside, 0 outside; as wide as the last of LEVELS.
 * @param radius pixels from the outline within which the surface turns towards the camera.
 */
export function inflated(person: Raster, radius: number): Raster {
  let height = new Raster(LEVELS[0], LEVELS[0], 1);
  for (const side of LEVELS) {
    height = resizeLinear(height, side, side);
    const inside = shrink(person, person.rows / side).data;
    const pull = 1 / (1 + 4 * ((radius * side) / person.rows) ** 2);
    for (let step = 0; step < STEPS; step++) {
      const { data } = height;
      height = height.map((_, i) => {
        const [y, x] = [Math.floor(i / side), i % side];
        const beside = data[x > 0 ? i - 1 : i] + data[x < side - 1 ? i + 1 : i];
        const mean = (beside + data[y > 0 ? i - side : i] + data[y < side - 1 ? i + side : i]) / 4;
        return inside[i] * (mean * (1 - pull) + pull);
      });
    }
  }
  const { rows: side, data } = height;
  const result = new Raster(side, side, 3);
  const slope = (i: number, place: number, stride: number): number => {
    const [low, high] = [place > 0 ? i - stride : i, place < side - 1 ? i + stride : i];
    return (data[high] - data[low]) / ((high - low) / stride);
  };
  data.forEach((value, i) => {
    const steep = (DEPTH * radius) / Math.sqrt(2 * Math.max(value, TIED));
    const right = slope(i, i % side, 1);
    const down = slope(i, Math.floor(i / side), side);
    result.data.set([-right * steep, down * steep + UPWARDS, 1], i * 3);
  });
  normalizeTriples(result.data);
  return result;
}

/** The light already there on a surface, over its mean on the face. */
function existingLight(surface: Raster, normals: Raster, view: View, environment: Environment): Raster {
  const face = view.mesh.mask;
  const head = normals.weighted(view.person);
  const count = face.data.length;
  const both = new Raster(count + surface.data.length / 3, 1, 3);
  both.data.set(head.data);
  both.data.set(surface.data, head.data.length);
  const mask = new Raster(both.rows, 1, 1);
  mask.data.set(face.data);
  const lit = shading(environment, both, mask);
  const believed = belief(lit, mask);
  const grey = isGrey(view.photo); // then it stays so
  const light = lit.map((value, k) => {
    const at = k - (k % 3);
    const used = grey ? (lit.data[at] + lit.data[at + 1] + lit.data[at + 2]) / 3 : value;
    return Math.exp(used * believed);
  });
  let [total, seen] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (face.data[i] === 0) continue;
    total += light.data[i * 3] + light.data[i * 3 + 1] + light.data[i * 3 + 2];
    seen += 3;
  }
  const mean = seen > 0 ? total / seen : 1;
  return surface.map((_, k) => clamp(light.data[count * 3 + k] / mean, SHADED[0], SHADED[1]));
}

/** How far right of and below a face's middle a square's pixel is, in the face's heights. */
function aroundFace(face: Crop, crop: Crop, side: number, index: number): [number, number] {
  const middle = face.shares(crop.x, crop.y);
  const along = (k: number): number => ((k + 0.5) / side - 0.5) * (crop.size / face.size);
  return [
    geometry.CROP_SCALE * (along(index % side) + middle[0] - 0.5),
    geometry.CROP_SCALE * (along(Math.floor(index / side)) + middle[1] - 0.5),
  ];
}

/** Values on a square, those beyond the photo's border replaced by the nearest within. */
export function withinPhoto(values: Raster, crop: Crop, { rows, columns }: Size): Raster {
  const side = values.rows;
  return values.map((_, i) => {
    const [x, y] = crop.point(((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side);
    const [u, v] = crop.shares(clamp(x, 0.5, columns - 0.5), clamp(y, 0.5, rows - 0.5));
    const [a, b] = [u * side - 0.5, v * side - 0.5];
    const [left, top] = [Math.floor(a), Math.floor(b)];
    const at = (dy: number, dx: number): number =>
      values.data[clamp(top + dy, 0, side - 1) * side + clamp(left + dx, 0, side - 1)];
    const upper = at(0, 0) + (at(0, 1) - at(0, 0)) * (a - left);
    const lower = at(1, 0) + (at(1, 1) - at(1, 0)) * (a - left);
    return upper + (lower - upper) * (b - top);
  });
}
