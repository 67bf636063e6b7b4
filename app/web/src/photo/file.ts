// SPDX-License-Identifier: Apache-2.0
/** Photos in and out: files become upright sRGB pixels, and files of the same kind again. */
import { cleanedExif, withExif } from "./exif";
import { Pixels } from "../image/raster";
import { readHead } from "./signature";

export const MAX_MEGAPIXELS = 100;
/** Canvases are read and written in squares of at most this side: every browser allows it. */
const TILE = 4096;
const QUALITY = 0.95;
/** Types that canvases write; others, as HEIC in Safari, become JPEG. */
const WRITABLE = ["image/jpeg", "image/png", "image/webp"];

export interface Photo {
  readonly pixels: Pixels;
  /** What it is saved as. */
  readonly type: string;
  /** EXIF of a JPEG that fits the upright photo, or null. */
  readonly exif: Uint8Array | null;
}

/**
 * Decode a file.
 *
 * @throws in words: no photo, damaged, too large.
 */
export async function decode(file: Blob): Promise<Photo> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { type, columns, rows } = readHead(bytes);
  const megapixels = (columns * rows) / 1e6;
  if (megapixels > MAX_MEGAPIXELS) {
    throw new Error(
      `This photo has ${megapixels.toFixed(0)} megapixels, more than the limit of` +
        ` ${MAX_MEGAPIXELS}. Make it smaller and try again.`,
    );
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(
      megapixels > 40
        ? `This photo has ${megapixels.toFixed(0)} megapixels, more than this browser can open.` +
            " Make it smaller and try again."
        : "This photo is damaged or of a kind that this browser cannot open." +
            " Get a complete copy of it, or save it as JPEG.",
    );
  }
  const pixels = readBitmap(bitmap);
  bitmap.close();
  const exif = type === "image/jpeg" ? cleanedExif(bytes, pixels.columns, pixels.rows) : null;
  return { pixels, type: WRITABLE.includes(type) ? type : "image/jpeg", exif };
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
  if (context === null) throw new Error("This browser cannot draw pictures of this size.");
  return context;
}

/**
 * Encode relit pixels as the photo was.
 *
 * @throws in words, if the browser cannot.
 */
export async function encode(photo: Photo, pixels: Pixels): Promise<Blob> {
  const { rows, columns, rgba } = pixels;
  let blob: Blob;
  try {
    const context = draw(columns, rows);
    context.putImageData(new ImageData(rgba, columns, rows), 0, 0);
    blob = await context.canvas.convertToBlob({ type: photo.type, quality: QUALITY });
  } catch {
    throw new Error(
      `This browser cannot save pictures of ${columns} x ${rows} pixels.` +
        " Make the photo smaller and try again.",
    );
  }
  if (photo.exif === null || blob.type !== "image/jpeg") return blob;
  return withExif(blob, photo.exif);
}
