// SPDX-License-Identifier: Apache-2.0
/** The worker's door: requests come in, and are done one after the other. */
import { Follower } from "../live/follower";
import { Observer } from "../live/study";
import { Models } from "../models/library";
import { Trouble } from "../trouble";
import type { Answer, Failure, Name, News, Request, Requests } from "./protocol";
import { Studio } from "./studio";

/** Milliseconds between two reports on the downloads. */
const REPORT_EVERY = 100;

let reported = 0;
const models = new Models(new URL("..", self.location.href).href, (progress) => {
  const now = performance.now();
  if (now - reported < REPORT_EVERY && progress.loaded < progress.total) return;
  reported = now;
  self.postMessage({ progress } satisfies News);
});
const studio = new Studio(models);
const follower = new Follower(models);
const observer = new Observer(models);

type Handlers = {
  [N in Name]: (take: Requests[N]["take"]) => Promise<Requests[N]["give"]> | Requests[N]["give"];
};
const handlers: Handlers = {
  warm: async () => {
    await models.warm();
    return models.version();
  },
  open: (file) => studio.open(file),
  find: () => studio.find(),
  look: (faces) => studio.look(faces),
  gain: (asked) => studio.gain(asked),
  sample: ({ faces, pattern }) => studio.sample(faces, pattern),
  detail: (part) => studio.detail(part),
  like: ({ file, faces }) => studio.like(file, faces),
  save: (asked) => studio.save(asked),
  relit: ({ file, recipe, output }) => studio.relit(file, recipe, output),
  measure: (light) => studio.measure(light),
  follow: (frame) => follower.follow(frame),
  study: ({ scene, pattern }) => observer.study(scene, pattern),
  learn: (study) => follower.learn(study),
};

/** The models are not for two requests at once; loading them keeps no photo waiting. */
let turn: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request>): void => {
  if (data.name === "warm") void answer(data);
  else turn = turn.then(() => answer(data));
};

async function answer({ id, name, take }: Request): Promise<void> {
  const handler = handlers[name] as (take: unknown) => unknown;
  let said: Answer;
  try {
    said = { id, give: await handler(take) };
  } catch (error) {
    said = { id, failure: failure(error) };
  }
  self.postMessage(said, { transfer: buffers(said.give) });
}

type Holder = { readonly data?: { readonly buffer?: unknown } } | null;

/** Large arrays and pictures are handed over rather than copied. */
function buffers(given: unknown): Transferable[] {
  const { frame, gain, picture, preview, scene } = (given ?? {}) as {
    frame?: unknown;
    gain?: Holder;
    picture?: Holder;
    preview?: Holder;
    scene?: { picture: Holder } | null;
  };
  const arrays = [given as Holder | undefined, gain, picture, preview, scene?.picture]
    .map((one) => one?.data?.buffer)
    .filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
  return frame instanceof ImageBitmap ? [...arrays, frame] : arrays;
}

function failure(error: unknown): Failure {
  if (error instanceof Trouble) return { kind: error.kind, values: error.values };
  if (error instanceof RangeError) return { kind: "memory", values: {} };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "worker", values: { message } };
}
