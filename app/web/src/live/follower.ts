// SPDX-License-Identifier: Apache-2.0
/**
 * Live pictures relit one by one.
 *
 * What runs for each face: Face Mesh and the fit to the picture's edges in every picture; the key
 * network when the light moves, the face does on its crop, or more is known of it. All else is looked
 * at now and then, beside the pictures (see study.ts), and goes along with the face meanwhile.
 */
import type { Face } from "../face/face";
import { surface } from "../face/mesh";
import { Perception } from "../face/perception";
import { distance } from "../face/search";
import { Guide, type FaceGain } from "../gain/guide";
import type { Size } from "../gain/reach";
import { Crop, type Matrix } from "../geometry";
import { steady } from "../constants.json";
import { Pixels, Raster } from "../image/raster";
import type { Models } from "../models/library";
import { changeBy, keyOf, partOfGain } from "../portrait";
import { sharesOf, type Setup } from "../setup";
import { faceGain, outlineOf } from "../stage/analysis";
import type { Body } from "../stage/body";
import { between } from "../stage/quotient";
import type { GainInputs } from "../stage/stages";
import { SIDE } from "../stage/view";
import { shownFace, shownGain } from "../worker/shown";
import type { Gain, ShownFace } from "../worker/protocol";
import { turned, turnedBy } from "./steady";
import { revived, type Scene, type Studied, type Study } from "./study";
import { Tracker, type Track } from "./tracker";

const { FORGOTTEN_DEG } = steady;
/** Longer side of the picture in which faces are followed and looked at: a face fills its crop. */
const SEEN_SIDE = 640;
/** Longer side of the picture whose edges the light follows. */
const EDGE_SIDE = 192;
/** Cells of the crop that a face's points move by on average before its key is worked out anew. */
const MOVED = 0.35;
/** Seconds after which a face is looked at again; sooner if it has turned by so much as makes what is
 * known of it old. */
const LOOK_EVERY = 1;
/** Where a fit takes longer than so many milliseconds, every second picture is lit by the one before's,
 * moved along with the face: edges lag by a picture, and there are more pictures. */
const CHEAP = 20;
/** Seconds between two pictures at least and at most, however the camera counts. */
const STEP = { least: 1e-3, most: 0.5 };

/** A picture to relight. */
export interface Frame {
  readonly frame: ImageBitmap;
  /** Seconds since the first one, which is at 0. */
  readonly at: number;
  /** Null while there is none yet: then faces are only followed. */
  readonly setup: Setup | null;
  /** Whether somebody has time to look at a scene. */
  readonly mayStudy: boolean;
}

/** Where a gain begins, in fractions of the picture. */
export type Corner = Pick<Gain, "left" | "top">;

export interface Followed {
  readonly frame: ImageBitmap;
  readonly faces: readonly ShownFace[];
  /** The light; or where that of the picture before lies by now; null where nobody is lit. */
  readonly gain: Gain | Corner | null;
  /** To be looked at, if anything is. */
  readonly scene: Scene | null;
}

/** What is known of one person. */
interface Known {
  readonly studied: Studied;
  readonly at: number;
  /** The lights' gains on the crop and body, for the shape that the face had then. */
  gains: Map<string, FaceGain>;
  shape: Float32Array | null;
  inputs: GainInputs | null;
}

/** Where a gain began as it was fitted to a picture, and where the heads were in it. */
interface Fitted extends Corner {
  readonly heads: ReadonlyMap<number, Crop>;
  /** Milliseconds. */
  readonly took: number;
}

export class Follower {
  private readonly perception: Perception;
  private tracker: Tracker;
  private readonly known = new Map<number, Known>();
  private readonly asked = new Map<number, { at: number; pose: Matrix }>();
  private readonly seen = new Reader(SEEN_SIDE);
  private readonly edges = new Reader(EDGE_SIDE);
  private last = 0;
  /** The picture before's, if it was fitted. */
  private fitted: Fitted | null = null;

  constructor(private readonly models: Models) {
    this.perception = new Perception(models);
    this.tracker = new Tracker(this.perception);
  }

  async follow({ frame, at, setup, mayStudy }: Frame): Promise<Followed> {
    if (at === 0) this.begin();
    const seconds = Math.min(Math.max(at - this.last, STEP.least), STEP.most);
    this.last = at;
    const pixels = this.seen.read(frame);
    const tracks = await this.tracker.update(pixels, seconds);
    for (const number of this.known.keys()) {
      if (!tracks.some((track) => track.number === number)) this.known.delete(number);
    }
    const isDue = mayStudy && tracks.some((track) => this.isDue(track, at));
    return {
      frame,
      faces: tracks.filter(({ isSeen }) => isSeen).map(({ face }) => shownFace(face, pixels)),
      gain: setup && (await this.gain(frame, pixels, tracks, setup)),
      scene: isDue ? this.scene(pixels, tracks, at) : null,
    };
  }

  /** Take in what a look told. */
  learn(study: Study): void {
    for (const studied of revived(study).faces) {
      const asked = this.asked.get(studied.number);
      if (asked === undefined) continue; // of a take before
      const { at } = asked;
      this.known.set(studied.number, { studied, at, gains: new Map(), shape: null, inputs: null });
    }
  }

  private begin(): void {
    this.tracker = new Tracker(this.perception);
    this.known.clear();
    this.asked.clear();
    this.last = 0;
  }

  private isDue({ number, face, isSeen }: Track, at: number): boolean {
    const asked = this.asked.get(number);
    if (!isSeen || asked === undefined) return isSeen;
    return at - asked.at >= LOOK_EVERY || turnedBy(asked.pose, face.cropPose) > FORGOTTEN_DEG;
  }

  private scene({ rows, columns, rgba }: Pixels, tracks: readonly Track[], at: number): Scene {
    this.asked.clear();
    const faces = tracks.filter(({ isSeen }) => isSeen).map(({ number, face }) => {
      this.asked.set(number, { at, pose: face.cropPose });
      return { number, landmarks: face.landmarks, presence: face.presence };
    });
    return { picture: { rows, columns, data: rgba }, at, faces };
  }

  /** How the setup changes the light on all whose light is known. */
  private async gain(
    frame: ImageBitmap,
    seen: Pixels,
    tracks: readonly Track[],
    setup: Setup,
  ): Promise<Gain | Corner | null> {
    const lit = tracks.filter(({ number }) => this.known.has(number));
    const before = this.fitted;
    this.fitted = null;
    if (lit.length === 0) return null;
    if (before !== null && before.took > CHEAP && isSame(before, lit)) {
      return movedAlong(before, lit[0], seen);
    }
    const start = performance.now();
    const gain = await this.fit(frame, seen, lit, setup);
    const heads = new Map(lit.map(({ number, face }) => [number, face.crop]));
    const { left, top } = gain;
    this.fitted = { left, top, heads, took: performance.now() - start };
    return gain;
  }

  private async fit(
    frame: ImageBitmap,
    seen: Pixels,
    lit: readonly Track[],
    setup: Setup,
  ): Promise<Gain> {
    const shares = sharesOf(setup, lit.length);
    const small = this.edges.read(frame);
    const scale = small.columns / seen.columns;
    const outlines = lit.map((track) => outlineOf(this.outlined(track, scale)));
    const guide = new Guide(small, outlines);
    const change = await changeBy(setup, guide, shares, async (light) => {
      const gains: FaceGain[] = [];
      for (const [k, { number, face }] of lit.entries()) {
        const known = this.known.get(number) as Known;
        this.shape(known, face);
        const key = keyOf(light);
        const { studied, inputs } = known as Known & { inputs: GainInputs };
        const own = { face: { crop: studied.crop }, inputs, body: studied.body };
        const gain = known.gains.get(key) ?? (await faceGain(this.models, own, light));
        known.gains.set(key, gain);
        gains.push(partOfGain(gain, shares[k]));
      }
      return guide.fit(gains);
    });
    return shownGain(change, small);
  }

  /** Draw a face's shape anew if it has moved on its crop. */
  private shape(known: Known, face: Face): void {
    const shape = face.crop.toCrop(face.landmarks, SIDE);
    if (known.shape !== null && distance(shape, known.shape) < MOVED) return;
    const { studied } = known;
    const mesh = surface(shape, face.cropPose, SIDE);
    const normals = between({ mesh, person: studied.person }, turned({ mesh }, studied.turn));
    const { lift, shine } = studied;
    known.inputs = { surface: normals, lift, shine, mesh, roll: face.crop.roll };
    known.shape = shape;
    known.gains = new Map();
  }

  /** Where light may fall on a face as it is now, on the picture scaled by a factor. */
  private outlined({ number, face, level }: Track, scale: number): Parameters<typeof outlineOf>[0] {
    const { studied } = this.known.get(number) as Known;
    const faded = (values: Raster): Raster =>
      level === 1 ? values : values.map((value) => value * level);
    const body = studied.body && {
      ...studied.body,
      crop: along(studied.body, studied.crop, face.crop).scaled(scale),
      person: faded(studied.body.person),
    };
    return {
      face: { crop: face.crop.scaled(scale) },
      view: { innerFace: faded(studied.innerFace) },
      person: faded(studied.outline),
      confidence: studied.trust,
      body,
    };
  }
}

function isSame({ heads }: Fitted, lit: readonly Track[]): boolean {
  return heads.size === lit.length && lit.every(({ number }) => heads.has(number));
}

/** Where a gain begins after the head has moved a little. */
function movedAlong(fitted: Fitted, { number, face }: Track, { rows, columns }: Size): Corner {
  const before = fitted.heads.get(number) as Crop;
  return {
    left: fitted.left + (face.crop.x - before.x) / columns,
    top: fitted.top + (face.crop.y - before.y) / rows,
  };
}

/** A body's square after the head has moved. */
function along({ crop }: Body, before: Crop, now: Crop): Crop {
  return new Crop(crop.x + now.x - before.x, crop.y + now.y - before.y, crop.size, crop.roll);
}

/** Reads pictures, their longer side at most so many pixels. */
class Reader {
  private readonly canvas = new OffscreenCanvas(1, 1);
  private readonly context = this.canvas.getContext("2d", { willReadFrequently: true });

  constructor(private readonly side: number) {}

  read(frame: ImageBitmap): Pixels {
    const { canvas, context } = this;
    if (context === null) throw new Error("this browser draws no pictures in a worker");
    const scale = Math.min(1, this.side / Math.max(frame.width, frame.height));
    const [columns, rows] = [frame.width, frame.height].map((side) =>
      Math.max(1, Math.round(side * scale)),
    );
    if (canvas.width !== columns || canvas.height !== rows) {
      [canvas.width, canvas.height] = [columns, rows];
      context.imageSmoothingQuality = "medium"; // averages: what is skipped would flicker
    }
    context.drawImage(frame, 0, 0, columns, rows);
    const { data } = context.getImageData(0, 0, columns, rows);
    return new Pixels(rows, columns, data as Uint8ClampedArray<ArrayBuffer>);
  }
}
