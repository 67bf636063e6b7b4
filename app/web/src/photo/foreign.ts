// SPDX-License-Identifier: Apache-2.0
/** Photos that the browser itself does not read, as PNG files that it does. */
import type { Decoded } from "./tiff";

/** A photo as PNG, upright, with its profile; and what its own file said of itself. */
export interface Converted {
  readonly file: Blob;
  readonly bits: number;
  readonly isGrey: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, n) => {
  let sum = n;
  for (let k = 0; k < 8; k++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

/** A TIFF file as PNG; null if it is damaged, too large, or not plain enough. */
export async function fromTiff(file: Blob, megapixels: number): Promise<Converted | null> {
  const worker = new Worker(new URL("./tiff.ts", import.meta.url));
  try {
    const bytes = await file.arrayBuffer();
    const decoded = await new Promise<Decoded | null>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<Decoded | null>): void => resolve(data);
      worker.onerror = (): void => resolve(null);
      worker.postMessage({ bytes, megapixels }, [bytes]);
    });
    if (decoded === null) return null;
    return { file: await png(upright(decoded)), bits: decoded.bits, isGrey: decoded.isGrey };
  } finally {
    worker.terminate();
  }
}

/** Pixels turned and mirrored as EXIF's orientation says. */
function upright(decoded: Decoded): Decoded {
  const { columns, rows, orientation } = decoded;
  if (orientation < 2 || orientation > 8) return decoded;
  const isOnSide = orientation > 4;
  const [wide, high] = isOnSide ? [rows, columns] : [columns, rows];
  const source = new Uint32Array(decoded.rgba.buffer);
  const target = new Uint32Array(source.length);
  const [isRight, isDown] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [u, v] = isOnSide ? [y, x] : [x, y];
      const column = isRight ? columns - 1 - u : u;
      const row = isDown ? rows - 1 - v : v;
      target[y * wide + x] = source[row * columns + column];
    }
  }
  return { ...decoded, columns: wide, rows: high, rgba: new Uint8Array(target.buffer) };
}

/** Reference: W3C, "Portable Network Graphics (PNG) Specification", third edition. */
async function png({ columns, rows, rgba, profile }: Decoded): Promise<Blob> {
  const lines = new Uint8Array(rows * (columns * 4 + 1)); // each begins with its filter: none
  for (let y = 0; y < rows; y++) {
    lines.set(rgba.subarray(y * columns * 4, (y + 1) * columns * 4), y * (columns * 4 + 1) + 1);
  }
  const head = new Uint8Array([...big(columns), ...big(rows), 8, 6, 0, 0, 0]);
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head)];
  if (profile !== null) {
    const name = [0x69, 0x63, 0x63, 0, 0]; // "icc", its end, and how it is packed
    parts.push(chunk("iCCP", Uint8Array.from([...name, ...(await deflated(profile))])));
  }
  parts.push(chunk("IDAT", await deflated(lines)), chunk("IEND", new Uint8Array()));
  return new Blob(parts, { type: "image/png" });
}

function chunk(kind: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(data.length + 12);
  whole.set(big(data.length));
  whole.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  whole.set(data, 8);
  let sum = 0xffffffff;
  for (let i = 4; i < data.length + 8; i++) sum = CHECKSUMS[(sum ^ whole[i]) & 0xff] ^ (sum >>> 8);
  whole.set(big((sum ^ 0xffffffff) >>> 0), data.length + 8);
  return whole;
}

function big(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
}

async function deflated(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
