// SPDX-License-Identifier: Apache-2.0
/** What the page and its worker say to each other. */
import type { SphereKind } from "../environment";
import type { Light } from "../light";
import type { Followed, Frame } from "../live/follower";
import type { Scene, Study } from "../live/study";
import type { Progress } from "../models/download";
import type { Output, Writable } from "../photo/file";
import type { Setup } from "../setup";
import type { TroubleKind, Values } from "../trouble";

/** A face as the page shows it: all in fractions of the photo's width and height. */
export interface ShownFace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Bytes of red, green, blue and opacity, row by row. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** A photo that was opened. */
export interface Opened {
  readonly rows: number;
  readonly columns: number;
  /** The photo at preview size at most. */
  readonly preview: Picture;
  /** What it is saved as, unless another type is asked for. */
  readonly type: Writable;
  readonly hasExif: boolean;
  /** Bits a channel and whether it has one channel, as far as the file tells. */
  readonly bits: number;
  readonly isGrey: boolean;
}

/** The automatic light for some faces, and the light that is there. */
export interface Look {
  readonly setup: Setup;
  readonly spheres: Record<SphereKind, ImageData>;
  readonly keyToFill: number;
}

/** A setup for some of the faces, by their numbers. */
export interface Asked {
  readonly faces: readonly number[];
  readonly setup: Setup;
}

/**
 * How the photo's light changes: for each cell of a rectangle what is added to red, green and
 * blue, and what is taken away of the light already there. In fractions of the photo.
 */
export interface Gain {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array<ArrayBuffer>;
}

export interface MeasuredGain extends Gain {
  /** Brighter over darker cheek of the first face with these lights. */
  readonly keyToFill: number;
}

/** A part of the photo, in its own pixels. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

/** A setup of the library's, and how the photo looks under it. */
export interface Sample {
  readonly setup: Setup;
  readonly picture: Picture;
}

/** Milliseconds, the best of several: Face Mesh, and what a drag of the light costs the worker. */
export interface Measured {
  readonly faceMesh: number;
  readonly key: number;
  readonly drag: number;
}

/** How a photo among several is lit: by the user's own setup, or by one of the library's. */
export interface Recipe {
  readonly setup: Setup | null;
  /** Where there is no setup: the name of one; null for the automatic one. */
  readonly pattern: string | null;
}

/** Requests by name: what they take and what they give. */
export interface Requests {
  warm: { take: null; give: string };
  open: { take: Blob; give: Opened };
  find: { take: null; give: readonly ShownFace[] };
  look: { take: readonly number[]; give: Look };
  /** `isQuick`: coarser, for while a light is dragged. */
  gain: { take: Asked & { isQuick: boolean }; give: MeasuredGain };
  sample: { take: { faces: readonly number[]; pattern: string | null }; give: Sample };
  detail: { take: Part; give: Picture };
  like: { take: { file: Blob; faces: readonly number[] }; give: Setup };
  save: { take: Asked & { output: Output }; give: Blob };
  /** Relight a photo that is not the one open. */
  relit: { take: { file: Blob; recipe: Recipe; output: Partial<Output> }; give: Blob };
  measure: { take: Light; give: Measured };
  /** Relight a live picture. */
  follow: { take: Frame; give: Followed };
  /** Look at a live picture's faces; `pattern` as in `Observer.study`. */
  study: { take: { scene: Scene; pattern?: string | null }; give: Study };
  /** Know from now on what a look told. */
  learn: { take: Study; give: void };
}

export type Name = keyof Requests;

export interface Request<N extends Name = Name> {
  readonly id: number;
  readonly name: N;
  readonly take: Requests[N]["take"];
}

/** Why there is no answer. */
export interface Failure {
  readonly kind: TroubleKind;
  readonly values: Values;
}

export interface Answer {
  readonly id: number;
  readonly give?: unknown;
  readonly failure?: Failure;
}

/** What the worker says without being asked. */
export interface News {
  readonly progress: Progress;
}
