// SPDX-License-Identifier: Apache-2.0
/** The part of pako that is used; the package has no types. */
declare module "pako" {
  export function inflateRaw(content: Uint8Array): Uint8Array;
}
