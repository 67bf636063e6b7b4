// SPDX-License-Identifier: Apache-2.0
/** A live picture's faces looked at thoroughly, beside the pictures that go on meanwhile. */
import { faceFrom } from "../face/face";
import { Perception } from "../face/perception";
import { Crop } from "../geometry";
import { Pixels, Raster } from "../image/raster";
import type { Models } from "../models/library";
import { Portrait } from "../portrait";
import type { Setup } from "../setup";
import type { Body } from "../stage/body";
import type { Picture } from "../worker/protocol";
import { SteadyLook, type Look } from "./steady";

/** A picture whose faces are to be looked at. */
export interface Scene {
  readonly picture: Picture;
  /** Seconds since the first picture. */
  readonly at: number;
  readonly faces: readonly {
    readonly number: number;
    readonly landmarks: Float32Array;
    readonly presence: number;
  }[];
}

/** What is known of a face after a look; it lies on the face's crop, and goes along with it. */
export interface Studied {
  readonly number: number;
  readonly crop: Crop;
  /** The person, as fine as light is limited to them; and as wide as the stages see them. */
  readonly outline: Raster;
  readonly person: Raster;
  readonly innerFace: Raster;
  /** What the normals differ by from the mesh's. */
  readonly turn: Raster;
  readonly trust: Raster;
  readonly lift: Raster;
  readonly shine: Raster;
  readonly body: Body | null;
}

/** The faces of a scene; largest first. */
export interface Study {
  readonly faces: readonly Studied[];
  /** The setup that was asked for. */
  readonly setup: Setup | null;
}

/** Looks at one scene after the other. */
export class Observer {
  private readonly perception: Perception;
  private steady: SteadyLook;

  constructor(private readonly models: Models) {
    this.perception = new Perception(models);
    this.steady = new SteadyLook(this.perception, models);
  }

  /**
   * Look at a scene.
   *
   * @param pattern name of the setup that is asked for, null for the automatic one; undefined for
   *   none.
   */
  async study({ picture, at, faces }: Scene, pattern?: string | null): Promise<Study> {
    const pixels = new Pixels(picture.rows, picture.columns, picture.data);
    if (at === 0) this.steady = new SteadyLook(this.perception, this.models);
    this.steady.forget(new Set(faces.map(({ number }) => number)));
    const looks: { number: number; look: Look }[] = [];
    for (const { number, landmarks, presence } of faces) {
      const face = faceFrom(landmarks, pixels.rows, pixels.columns, presence);
      looks.push({ number, look: await this.steady.look(pixels, number, face, at) });
    }
    const analyses = looks.map(({ look }) => look.analysis);
    const portrait = new Portrait(this.models, pixels, analyses);
    const setup = pattern === undefined ? null : await portrait.suggest(undefined, pattern ?? undefined);
    return { setup, faces: looks.map(({ number, look }) => studied(number, look)) };
  }
}

function studied(number: number, { analysis, turn }: Look): Studied {
  const { face, view, confidence, inputs, body, person: outline } = analysis;
  const { person, innerFace } = view;
  const { lift, shine } = inputs;
  const { crop } = face;
  return { number, crop, outline, person, innerFace, turn, trust: confidence, lift, shine, body };
}

/** A study as it was, after it came as a message, which leaves only numbers of it. */
export function revived({ faces, setup }: Study): Study {
  return { setup, faces: faces.map((face) => alive(face)) };
}

function alive<T extends object>(parts: T): T {
  const found = Object.entries(parts).map(([name, part]): [string, unknown] => {
    if (name === "body") return [name, part === null ? null : alive(part as Body)];
    if (name === "crop") return [name, new Crop(part.x, part.y, part.size, part.roll)];
    const isRaster = typeof part === "object" && part !== null && "channels" in part;
    if (isRaster) return [name, new Raster(part.rows, part.columns, part.channels, part.data)];
    return [name, part];
  });
  return Object.fromEntries(found) as T;
}
