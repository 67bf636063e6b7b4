// SPDX-License-Identifier: Apache-2.0
/** What the first bytes of a file say: its kind and, where they are easy to find, its size. */

import { Trouble } from "../trouble";

export interface Head {
  /** Media type. */
  readonly type: string;
  /** Bits a channel, where they are easy to find; otherwise 8. */
  readonly bits: number;
  /** Whether it has one channel, where that is easy to find. */
  readonly isGrey: boolean;
  /** Pixels; 0 where only the browser's decoder knows. */
  readonly columns: number;
  readonly rows: number;
}

const PLAIN = { columns: 0, rows: 0, bits: 8, isGrey: false };
const START_OF_FRAME = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/**
 * Read the beginning of a file.
 *
 * @throws Trouble if it is no photo.
 */
export function readHead(bytes: Uint8Array): Head {
  if (bytes.length === 0) throw new Trouble("empty");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number): string =>
    String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 2) === "\xff\xd8") return { type: "image/jpeg", ...jpegFrame(view) };
  if (text(1, 4) === "PNG" && bytes.length >= 26) {
    const [columns, rows] = [view.getUint32(16), view.getUint32(20)];
    const [bits, kind] = [Math.max(8, bytes[24]), bytes[25]];
    return { type: "image/png", columns, rows, bits, isGrey: kind === 0 || kind === 4 };
  }
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") {
    return { type: "image/webp", ...PLAIN, ...webpSize(view, text(12, 16)) };
  }
  if (text(0, 3) === "GIF") return { type: "image/gif", ...PLAIN };
  if (text(0, 2) === "BM") return { type: "image/bmp", ...PLAIN };
  if (text(4, 8) === "ftyp") {
    const type = text(8, 12).startsWith("avi") ? "image/avif" : "image/heic";
    return { type, ...PLAIN };
  }
  if (["II*\0", "MM\0*"].includes(text(0, 4))) return { type: "image/tiff", ...PLAIN };
  throw new Trouble("notPhoto");
}

function jpegFrame(view: DataView): Omit<Head, "type"> {
  for (const { marker, start } of segments(view)) {
    if (START_OF_FRAME.includes(marker) && start + 6 <= view.byteLength) {
      const [rows, columns] = [view.getUint16(start + 1), view.getUint16(start + 3)];
      return { columns, rows, bits: view.getUint8(start), isGrey: view.getUint8(start + 5) === 1 };
    }
  }
  return PLAIN;
}

/** Marker segments of a JPEG up to its pixels: where their content starts and ends. */
export function* segments(
  view: DataView,
): Generator<{ marker: number; start: number; end: number }> {
  let at = 2;
  while (at + 4 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // padding
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    yield { marker, start: at + 4, end };
    if (marker === 0xda) return;
    at = end;
  }
}

function webpSize(view: DataView, chunk: string): { columns: number; rows: number } {
  if (view.byteLength < 30) return { columns: 0, rows: 0 };
  if (chunk === "VP8X") {
    const three = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
    return { columns: three(24) + 1, rows: three(27) + 1 };
  }
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return { columns: (bits & 0x3fff) + 1, rows: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { columns: view.getUint16(26, true) & 0x3fff, rows: view.getUint16(28, true) & 0x3fff };
}
