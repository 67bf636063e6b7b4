// SPDX-License-Identifier: Apache-2.0
/** What the page and its worker say to each other. */
import type { SphereKind } from "../environment";
import type { Light } from "../light";
import type { Setup } from "../setup";

/** A face as the page shows it: all in fractions of the photo's width and height. */
export interface ShownFace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A photo that was opened. */
export interface Opened {
  readonly rows: number;
  readonly columns: number;
  /** The photo at preview size, RGBA. */
  readonly preview: ImageData;
  readonly faces: ShownFace[];
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
 * How the preview's light changes: for each pixel of a rectangle what is added to red, green and
 * blue, and what is taken away of the light already there.
 */
export interface Gain {
  readonly left: number;
  readonly top: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array<ArrayBuffer>;
  /** Brighter over darker cheek of the first face with these lights. */
  readonly keyToFill: number;
}

/** Milliseconds, the best of several: Face Mesh, and what a drag of the light costs the worker. */
export interface Measured {
  readonly faceMesh: number;
  readonly key: number;
  readonly drag: number;
}

/** Requests by name: what they take and what they give. */
export interface Requests {
  warm: { take: null; give: string };
  open: { take: Blob; give: Opened };
  look: { take: readonly number[]; give: Look };
  gain: { take: Asked; give: Gain };
  save: { take: Asked; give: Blob };
  measure: { take: Light; give: Measured };
}

export type Name = keyof Requests;

export interface Request<N extends Name = Name> {
  readonly id: number;
  readonly name: N;
  readonly take: Requests[N]["take"];
}

/** An answer, or in words why there is none. */
export interface Answer {
  readonly id: number;
  readonly give?: unknown;
  readonly error?: string;
}
