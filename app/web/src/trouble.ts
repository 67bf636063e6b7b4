// SPDX-License-Identifier: Apache-2.0
/** What can go wrong in front of a user: a kind, which the page's message table puts in words. */

export type TroubleKind =
  | "empty"
  | "notPhoto"
  | "tooLarge"
  | "tooLargeHere"
  | "damaged"
  | "unreadable"
  | "cannotSave"
  | "noFace"
  | "memory"
  | "download"
  | "outdated"
  | "notConverted"
  | "cameraNone"
  | "cameraRefused"
  | "cameraBusy"
  | "cameraGone"
  | "cannotRecord"
  | "noSound"
  | "worker";

export type Values = Record<string, string | number>;

export class Trouble extends Error {
  /** @param values what fills the gaps of the sentence. */
  constructor(
    readonly kind: TroubleKind,
    readonly values: Values = {},
  ) {
    super(`${kind} ${JSON.stringify(values)}`);
  }
}
