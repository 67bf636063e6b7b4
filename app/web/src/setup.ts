// SPDX-License-Identifier: Apache-2.0
/** What is done to the light on a portrait: the lights added, and how much of the old one stays. */
import type { Light } from "./light";
import type { Reason } from "./placement/wording";

export interface Setup {
  /** Lights that are added. */
  readonly lights: readonly Light[];
  /** Share of the existing light that stays on the person, in (0, 1]. */
  readonly fill: number;
  /** Why, sentence by sentence; empty for the user's own. */
  readonly reason: Reason;
  /** How much of all this each face gets, in [0, 1]; a face beyond the last gets all of it. */
  readonly shares?: readonly number[];
}

/** All of the existing light stays. */
export const FULL_FILL = 1;

/** The share of each of so many faces. */
export function sharesOf({ shares = [] }: Setup, faces: number): number[] {
  return Array.from({ length: faces }, (_, k) => shares[k] ?? 1);
}
