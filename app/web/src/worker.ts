// SPDX-License-Identifier: Apache-2.0
/** The runtime beside the page: one photo, looked at once, relit many times. */
import { analyze, GainCache, outlineOf, placeOn, type Analysis } from "./analysis";
import { portrait as previewConstants } from "./constants.json";
import { Detector } from "./detector";
import { SPHERES, type SphereKind } from "./environment";
import { faceSize, findFaces, type Face } from "./face";
import { Guide } from "./guide";
import { keyToFillWith, placeGroup, type Light } from "./light";
import { Models } from "./models";
import { decode, encode, type Photo } from "./photo";
import type { Answer, Gain, Look, Measured, Name, Opened, Request, Requests } from "./protocol";
import { apply } from "./quotient";
import { Pixels, roundEven } from "./raster";
import { resizeArea } from "./resample";

const SPHERE_SIDE = 96;
const ROUNDS = 5;

/** A face once it was looked at. */
interface Seen {
  readonly analysis: Analysis;
  readonly gains: GainCache;
}

/** Everything known of the photo that is open. */
interface Session {
  readonly photo: Photo;
  readonly preview: Pixels;
  readonly scale: number;
  readonly faces: readonly Face[];
  readonly seen: Map<number, Promise<Seen>>;
  /** The preview's edges around some faces. */
  guide?: { readonly faces: string; readonly guide: Guide };
}

const models = new Models(new URL("..", self.location.href).href);
const detector = new Detector(models);
let session: Session | null = null;

async function open(file: Blob): Promise<Opened> {
  const photo = await decode(file);
  const { rows, columns } = photo.pixels;
  const scale = Math.min(1, previewConstants.PREVIEW_SIDE / Math.max(rows, columns));
  const size = [rows, columns].map((side) => Math.max(1, roundEven(side * scale)));
  const preview =
    scale === 1 ? photo.pixels : Pixels.rounded(resizeArea(photo.pixels, size[0], size[1]));
  const faces = await findFaces(detector, photo.pixels);
  if (faces.length === 0) {
    throw new Error(
      "No face found in this photo. If there is one, turn it upright or crop closer to it.",
    );
  }
  session = { photo, preview, scale, faces, seen: new Map() };
  return {
    rows,
    columns,
    preview: new ImageData(preview.rgba.slice(), preview.columns, preview.rows),
    faces: faces.map(({ box: [left, top, width, height] }) => ({
      left: left / columns,
      top: top / rows,
      width: width / columns,
      height: height / rows,
    })),
  };
}

function opened(): Session {
  if (session === null) throw new Error("Open a photo first.");
  return session;
}

/** The faces asked for, each looked at once. */
function seen({ photo, faces, seen: known }: Session, chosen: readonly number[]): Promise<Seen[]> {
  const looked = chosen.map((k) => {
    const before = known.get(k);
    if (before !== undefined) return before;
    const now = analyze(detector, models, photo.pixels, faces[k]).then((analysis) => ({
      analysis,
      gains: new GainCache(models, analysis),
    }));
    known.set(k, now);
    return now;
  });
  return Promise.all(looked);
}

async function look(faces: number[]): Promise<Look> {
  const analyses = (await seen(opened(), faces)).map(({ analysis }) => analysis);
  const weights = analyses.map(({ face }) => faceSize(face));
  const { environment, face } = analyses[0];
  const shown = (kind: SphereKind): ImageData =>
    new ImageData(environment.sphere(kind, SPHERE_SIDE), SPHERE_SIDE, SPHERE_SIDE);
  return {
    placed: placeGroup(analyses.map(placeOn), weights),
    spheres: Object.fromEntries(SPHERES.map((kind) => [kind, shown(kind)])) as Look["spheres"],
    keyToFill: environment.keyToFill(face.headPose),
  };
}

async function gain({ faces, lights }: Requests["gain"]["take"]): Promise<Gain> {
  const current = opened();
  const parts = await seen(current, faces);
  const key = faces.join();
  if (current.guide?.faces !== key) {
    const outlines = parts.map(({ analysis }) => {
      const outline = outlineOf(analysis);
      return { ...outline, crop: outline.crop.scaled(current.scale) };
    });
    current.guide = { faces: key, guide: new Guide(current.preview, outlines) };
  }
  const gains = await Promise.all(parts.map((part) => part.gains.added(lights)));
  const { left, top, gain: added } = current.guide.guide.fit(gains);
  const { environment, face, meanIrradiance } = parts[0].analysis;
  return {
    left,
    top,
    rows: added.rows,
    columns: added.columns,
    data: added.data as Float32Array<ArrayBuffer>,
    keyToFill: keyToFillWith(environment, face.headPose, lights, meanIrradiance),
  };
}

async function save({ faces, lights }: Requests["save"]["take"]): Promise<Blob> {
  const { photo } = opened();
  const parts = await seen(opened(), faces);
  const { rows, columns, rgba } = photo.pixels;
  const result = new Pixels(rows, columns, rgba.slice());
  const guide = new Guide(photo.pixels, parts.map(({ analysis }) => outlineOf(analysis)));
  apply(result, guide.fit(await Promise.all(parts.map((part) => part.gains.added(lights)))));
  return encode(photo, result);
}

/** The best of several rounds, taking turns, so that a busy moment hits all alike. */
async function measure(light: Light): Promise<Measured> {
  const { photo, faces } = opened();
  const view = faces[0].crop.extract(photo.pixels, 192);
  if (view === null) throw new Error("the face lies outside the photo");
  const picture = view.toRaster().data;
  const [{ analysis }] = await seen(opened(), [0]);
  const best = { faceMesh: Infinity, quotient: Infinity, drag: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const moved = { ...light, azimuth_deg: light.azimuth_deg + 1 + round };
    const timed = async (name: keyof typeof best, task: () => Promise<unknown>): Promise<void> => {
      const start = performance.now();
      await task();
      best[name] = Math.min(best[name], performance.now() - start);
    };
    await timed("faceMesh", () => models.look("face_mesh", picture));
    await timed("quotient", () => new GainCache(models, analysis).added([moved]));
    await timed("drag", () => gain({ faces: [0], lights: [moved] }));
  }
  return best;
}

const handlers: { [N in Name]: (take: Requests[N]["take"]) => Promise<Requests[N]["give"]> } = {
  warm: async () => {
    await models.warm();
    return models.version();
  },
  open,
  look,
  gain,
  save,
  measure,
};

/** One request after the other: the models are not for two at once. */
let turn: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request>): void => {
  turn = turn.then(async () => {
    const handler = handlers[data.name] as (take: unknown) => Promise<unknown>;
    let answer: Answer;
    try {
      answer = { id: data.id, give: await handler(data.take) };
    } catch (error) {
      answer = { id: data.id, error: inWords(error) };
    }
    const given = answer.give as Partial<Gain> | undefined;
    const moved = data.name === "gain" && given?.data ? [given.data.buffer] : [];
    self.postMessage(answer, { transfer: moved });
  });
};

function inWords(error: unknown): string {
  if (error instanceof RangeError) {
    return "This photo needs more memory than the browser has. Make it smaller and try again.";
  }
  return error instanceof Error ? error.message : String(error);
}
