// SPDX-License-Identifier: Apache-2.0
/**
 * TIFF, which browsers do not read: a worker of its own, loaded when such a file is opened.
 *
 * What is not plain grey, palette or RGB of whole numbers is left to others.
 */
import "./inflate";
import * as UTIF from "utif2";

/** The file's first picture as it stands there, not turned upright, in its own colours. */
export interface Decoded {
  readonly columns: number;
  readonly rows: number;
  readonly rgba: Uint8Array<ArrayBuffer>;
  readonly bits: number;
  readonly isGrey: boolean;
  /** As EXIF counts it: 1 is upright. */
  readonly orientation: number;
  /** Its ICC profile. */
  readonly profile: Uint8Array<ArrayBuffer> | null;
}

/** Photometric interpretations: white is zero, black is zero, RGB, palette. */
const PLAIN = [0, 1, 2, 3];
const DEPTHS = [1, 8, 16];
const [REDUCED, BITS, KIND, TURNED, PLANES, FORMAT, PROFILE] = [
  "t254", "t258", "t262", "t274", "t284", "t339", "t34675",
];

self.onmessage = ({ data }: MessageEvent<{ bytes: ArrayBuffer; megapixels: number }>): void => {
  let decoded: Decoded | null = null;
  try {
    decoded = decode(data.bytes, data.megapixels);
  } catch {
    // damaged, or of a kind that is not read
  }
  self.postMessage(decoded, { transfer: decoded === null ? [] : [decoded.rgba.buffer] });
};

function decode(bytes: ArrayBuffer, megapixels: number): Decoded | null {
  const pages = UTIF.decode(bytes);
  const number = (page: UTIF.IFD, tag: string, usual: number): number =>
    (page[tag] as number[] | undefined)?.[0] ?? usual;
  const page = pages.find((one) => (number(one, REDUCED, 0) & 1) === 0 && one.t256 !== undefined);
  if (page === undefined) return null;
  const [kind, bits] = [number(page, KIND, -1), number(page, BITS, 1)];
  const isPlain =
    PLAIN.includes(kind) &&
    DEPTHS.includes(bits) &&
    number(page, PLANES, 1) === 1 &&
    number(page, FORMAT, 1) === 1;
  if (!isPlain) return null;
  if (number(page, "t256", 0) * number(page, "t257", 0) > megapixels * 1e6) return null;
  UTIF.decodeImage(bytes, page);
  const { width: columns, height: rows } = page;
  const profile = page[PROFILE] as number[] | undefined;
  return {
    columns,
    rows,
    rgba: UTIF.toRGBA8(page) as Uint8Array<ArrayBuffer>,
    bits: Math.max(8, bits),
    isGrey: kind < 2,
    orientation: number(page, TURNED, 1),
    profile: profile === undefined ? null : Uint8Array.from(profile),
  };
}
