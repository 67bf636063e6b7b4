// SPDX-License-Identifier: Apache-2.0
/** The runtime beside the page: one photo, looked at once, relit many times. */
import { portrait as constants } from "../constants.json";
import { SPHERES, type SphereKind } from "../environment";
import { regionAgain } from "../face/landmark";
import { Perception } from "../face/perception";
import { Pyramid } from "../face/region";
import type { Light } from "../light";
import { Models } from "../models/library";
import { decode, encode, type Photo } from "../photo/file";
import { Portrait } from "../portrait";
import { FULL_FILL, keyToFillOf, type Setup } from "../setup";
import { environmentOf } from "../stage/analysis";
import { keyGain } from "../stage/stages";
import type { Answer, Asked, Gain, Look, Measured, Name, Opened, Request, Requests } from "./protocol";

const { PREVIEW_SIDE } = constants;
const SPHERE_SIDE = 96;
const ROUNDS = 5;

const models = new Models(new URL("..", self.location.href).href);
const perception = new Perception(models);
let current: { readonly photo: Photo; readonly portrait: Portrait } | null = null;

async function open(file: Blob): Promise<Opened> {
  const photo = await decode(file);
  const portrait = await Portrait.look(perception, models, photo.pixels);
  current = { photo, portrait };
  const { rows, columns } = photo.pixels;
  const preview = portrait.at(PREVIEW_SIDE);
  return {
    rows,
    columns,
    preview: new ImageData(preview.rgba.slice(), preview.columns, preview.rows),
    faces: portrait.faces.map(({ box: [left, top, width, height] }) => ({
      left: left / columns,
      top: top / rows,
      width: width / columns,
      height: height / rows,
    })),
  };
}

function opened(): { readonly photo: Photo; readonly portrait: Portrait } {
  if (current === null) throw new Error("Open a photo first.");
  return current;
}

async function look(faces: readonly number[]): Promise<Look> {
  const { portrait } = opened();
  const analysis = portrait.analyses[faces[0]];
  const environment = environmentOf(analysis);
  const shown = (kind: SphereKind): ImageData =>
    new ImageData(environment.sphere(kind, SPHERE_SIDE), SPHERE_SIDE, SPHERE_SIDE);
  return {
    setup: portrait.suggest(faces),
    spheres: Object.fromEntries(SPHERES.map((kind) => [kind, shown(kind)])) as Look["spheres"],
    keyToFill: keyToFillOf(analysis),
  };
}

async function gain({ faces, setup }: Asked): Promise<Gain> {
  const { portrait } = opened();
  const change = await portrait.change(setup, { faces, side: PREVIEW_SIDE });
  const { left, top, gain: added, dimming } = change;
  const data = new Float32Array(added.rows * added.columns * 4);
  for (let i = 0, k = 0; k < data.length; k += 4) {
    for (let c = 0; c < 3; c++) data[k + c] = added.data[i++];
    data[k + 3] = dimming === null ? 0 : dimming.data[k / 4];
  }
  const keyToFill = keyToFillOf(portrait.analyses[faces[0]], setup);
  return { left, top, rows: added.rows, columns: added.columns, data, keyToFill };
}

async function save({ faces, setup }: Asked): Promise<Blob> {
  const { photo, portrait } = opened();
  return encode(photo, await portrait.render(setup, { faces }));
}

/** The best of several rounds, taking turns, so that a busy moment hits all alike. */
async function measure(light: Light): Promise<Measured> {
  const { photo, portrait } = opened();
  const [{ face, inputs }] = portrait.analyses;
  const pyramid = new Pyramid(photo.pixels);
  const region = regionAgain(face.landmarks);
  const best = { faceMesh: Infinity, key: Infinity, drag: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const moved = { ...light, azimuth_deg: light.azimuth_deg + 1 + round };
    const setup: Setup = { lights: [moved], fill: FULL_FILL, reason: "" };
    const timed = async (name: keyof typeof best, task: () => Promise<unknown>): Promise<void> => {
      const start = performance.now();
      await task();
      best[name] = Math.min(best[name], performance.now() - start);
    };
    await timed("faceMesh", () => perception.landmarks(pyramid, region));
    await timed("key", () => keyGain(models, inputs, moved));
    await timed("drag", () => gain({ faces: [0], setup }));
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
