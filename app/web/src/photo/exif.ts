// SPDX-License-Identifier: Apache-2.0
/** EXIF of an edited JPEG: what no longer holds is reset, the rest is kept. Reference: EXIF 2.32. */
import { segments } from "./signature";

const APP1 = 0xe1;
const PREFIX = "Exif\0\0";
const ORIENTATION = 0x0112;
const CAMERA = 0x8769;
const [COLOR_SPACE, WIDTH, HEIGHT] = [0xa001, 0xa002, 0xa003];
const LARGEST = 65533;

/** The EXIF block of a JPEG; null if there is none. */
export function exifOf(jpeg: Uint8Array): Uint8Array | null {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (const { marker, start, end } of segments(view)) {
    const body = jpeg.subarray(start, end);
    if (marker !== APP1 || String.fromCharCode(...body.subarray(0, 6)) !== PREFIX) continue;
    return body.slice(); // the file need not stay in memory
  }
  return null;
}

/**
 * EXIF for a JPEG's upright sRGB pixels: a copy in which orientation and size are right and the
 * thumbnail, which shows the photo before the edit, is gone. Null if it is damaged.
 */
export function cleanedExif(exif: Uint8Array, columns: number, rows: number): Uint8Array | null {
  const block = exif.slice();
  try {
    clean(new DataView(block.buffer, PREFIX.length), columns, rows);
  } catch (error) {
    if (error instanceof RangeError) return null; // an offset that leads out of the block
    throw error;
  }
  return block;
}

/** Patch a TIFF block in place, so that maker notes, whose offsets count from its start, hold. */
function clean(view: DataView, columns: number, rows: number): void {
  const little = view.getUint16(0) === 0x4949;
  const short = (at: number): number => view.getUint16(at, little);
  const long = (at: number): number => view.getUint32(at, little);
  const put = (at: number, value: number): void => {
    if (short(at + 2) === 3) view.setUint16(at + 8, value, little);
    else view.setUint32(at + 8, value, little);
  };
  const entries = (start: number): Map<number, number> =>
    new Map(
      Array.from({ length: short(start) }, (_, k) => start + 2 + 12 * k).map((at) => [short(at), at]),
    );
  const first = long(4);
  const main = entries(first);
  const orientation = main.get(ORIENTATION);
  if (orientation !== undefined) put(orientation, 1);
  const camera = main.get(CAMERA);
  if (camera !== undefined) {
    const inside = entries(long(camera + 8));
    for (const [tag, value] of [
      [COLOR_SPACE, 1],
      [WIDTH, columns],
      [HEIGHT, rows],
    ]) {
      const at = inside.get(tag);
      if (at !== undefined) put(at, value);
    }
  }
  const following = first + 2 + 12 * main.size;
  const thumbnail = long(following);
  if (thumbnail === 0) return;
  view.setUint32(following, 0, little);
  const [offset, size] = [0x0201, 0x0202].map((tag) => entries(thumbnail).get(tag));
  if (offset === undefined || size === undefined) return;
  const [start, count] = [long(offset + 8), long(size + 8)];
  for (let at = start; at < Math.min(start + count, view.byteLength); at++) view.setUint8(at, 0);
}

/** A JPEG with an EXIF block at its beginning. */
export async function withExif(jpeg: Blob, exif: Uint8Array): Promise<Blob> {
  if (exif.length > LARGEST) return jpeg;
  const head = new Uint8Array([0xff, 0xd8, 0xff, APP1, 0, 0]);
  new DataView(head.buffer).setUint16(4, exif.length + 2);
  return new Blob([head, exif as Uint8Array<ArrayBuffer>, jpeg.slice(2)], { type: jpeg.type });
}
