// SPDX-License-Identifier: Apache-2.0
/** Photos in and out: files become upright sRGB pixels, and files of the same kind again. */
import { cleanedExif, exifOf, withExif } from "./exif";
import { fromTiff } from "./foreign";
import { Pixels } from "../image/raster";
import { readHead, type Head } from "./signature";
import { Trouble } from "../trouble";

export const MAX_MEGAPIXELS = 100;
/** Megapixels from which a browser that cannot open a photo probably lacks memory. */
const HUGE = 40;
/** Canvases are read and written in squares of at most this side: every browser allows it. */
const TILE = 4096;
export const QUALITY = 0.95;
/** Types that canvases write; others, as HEIC in Safari, become JPEG. */
export const WRITABLE = ["image/jpeg", "image/png", "image/webp"] as const;
export type Writable = (typeof WRITABLE)[number];
/** Types that few browsers read, though they may be good photos. */
const RARE = ["image/heic", "image/tiff", "image/avif"];

export interface Photo {
  readonly pixels: Pixels;
  /** What it is saved as, unless another type is asked for. */
  readonly type: Writable;
  /** What the file says of itself. */
  readonly head: Head;
  /** EXIF of a JPEG as it stands in the file, or null. */
  readonly exif: Uint8Array | null;
}

/** How a photo is saved. */
export interface Output {
  readonly type: Writable;
  /** Of JPEG and WebP, in [0, 1]. */
  readonly quality: number;
  /** Whether a JPEG keeps the photo's EXIF. */
  readonly keepsExif: boolean;
  /** Longer side at most, pixels; without it the photo's own size. */
  readonly side?: number;
}

/**
 * Decode a file.
 *
 * @throws Trouble: no photo, damaged, too large, or of a kind that this browser does not read.
 */
export async function decode(file: Blob): Promise<Photo> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const head = readHead(bytes);
  const { type, columns, rows } = head;
  if (type === "image/tiff") {
    const converted = await fromTiff(file, MAX_MEGAPIXELS);
    if (converted !== null) {
      const { bits, isGrey } = converted;
      const pixels = readBitmap(await createImageBitmap(converted.file));
      return { pixels, type: "image/jpeg", head: { ...head, bits, isGrey }, exif: null };
    }
  }
  const megapixels = Math.round((columns * rows) / 1e6);
  if (megapixels > MAX_MEGAPIXELS) {
    throw new Trouble("tooLarge", { megapixels, most: MAX_MEGAPIXELS });
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    if (RARE.includes(type)) {
      throw new Trouble("unreadable", { kind: type.replace("image/", "").toUpperCase() });
    }
    throw megapixels > HUGE ? new Trouble("tooLargeHere", { megapixels }) : new Trouble("damaged");
  }
  const pixels = readBitmap(bitmap);
  bitmap.close();
  const saved = WRITABLE.find((one) => one === type) ?? "image/jpeg";
  return { pixels, type: saved, head, exif: type === "image/jpeg" ? exifOf(bytes) : null };
}

function readBitmap(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [wide, high] = [Math.min(TILE, width - left), Math.min(TILE, height - top)];
      const context = draw(wide, high);
      context.drawImage(bitmap, -left, -top);
      const { data } = context.getImageData(0, 0, wide, high);
      for (let y = 0; y < high; y++) {
        const row = data.subarray(y * wide * 4, (y + 1) * wide * 4);
        rgba.set(row, ((top + y) * width + left) * 4);
      }
    }
  }
  return new Pixels(height, width, rgba);
}

function draw(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const options = { willReadFrequently: true };
  const context = new OffscreenCanvas(width, height).getContext("2d", options);
  if (context === null) throw new Trouble("memory");
  return context;
}

/**
 * Encode relit pixels.
 *
 * @throws Trouble if the browser cannot.
 */
export async function encode(photo: Photo, pixels: Pixels, output: Output): Promise<Blob> {
  const { rows, columns, rgba } = pixels;
  let blob: Blob;
  try {
    const context = draw(columns, rows);
    if (output.type === "image/jpeg") {
      context.fillStyle = "#fff"; // what is transparent would become black
      context.fillRect(0, 0, columns, rows);
      context.drawImage(await createImageBitmap(new ImageData(rgba, columns, rows)), 0, 0);
    } else {
      context.putImageData(new ImageData(rgba, columns, rows), 0, 0);
    }
    blob = await context.canvas.convertToBlob({ type: output.type, quality: output.quality });
  } catch {
    throw new Trouble("cannotSave", { columns, rows });
  }
  if (photo.exif === null || !output.keepsExif || blob.type !== "image/jpeg") return blob;
  const exif = cleanedExif(photo.exif, columns, rows);
  return exif === null ? blob : withExif(blob, exif);
}
