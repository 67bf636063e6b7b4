// SPDX-License-Identifier: Apache-2.0
/** A lighting setup: the lights added to a photo, and how much of the light already there stays. */
import type { Light } from "./light";

export interface Setup {
  readonly lights: readonly Light[];
  /** Share of the existing light that stays on the person, in (0, 1]; 1 leaves it alone. */
  readonly fill: number;
  /** In one sentence, why the lights stand where they do; empty for the user's own. */
  readonly reason: string;
}

export const FULL_FILL = 1;
