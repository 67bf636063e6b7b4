// SPDX-License-Identifier: Apache-2.0
/** Several files as one zip, stored as they are: photos do not shrink. Reference: APPNOTE 6.3. */

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const VERSION = 20;
/** Names are UTF-8. */
const UTF8 = 0x0800;
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** A zip that grows file by file. */
export class Zip {
  private readonly parts: BlobPart[] = [];
  private readonly directory: Uint8Array<ArrayBuffer>[] = [];
  private readonly names = new Set<string>();
  private size = 0;

  async add(name: string, file: Blob, at = new Date()): Promise<void> {
    const sum = checksum(new Uint8Array(await file.arrayBuffer()));
    const own = new TextEncoder().encode(this.free(name));
    const head = fields([UTF8, 2], [0, 2], [dosTime(at), 2], [dosDate(at), 2], [sum, 4]);
    const sizes = fields([file.size, 4], [file.size, 4], [own.length, 2], [0, 2]);
    const local = joined(fields([LOCAL, 4], [VERSION, 2]), head, sizes, own);
    const rest = fields([0, 2], [0, 2], [0, 2], [0, 4], [this.size, 4]);
    const versions = fields([CENTRAL, 4], [VERSION, 2], [VERSION, 2]);
    this.directory.push(joined(versions, head, sizes, rest, own));
    this.parts.push(local, file);
    this.size += local.length + file.size;
  }

  finish(): Blob {
    const length = this.directory.reduce((total, entry) => total + entry.length, 0);
    const count = this.directory.length;
    const end = fields([END, 4], [0, 4], [count, 2], [count, 2], [length, 4], [this.size, 4], [0, 2]);
    return new Blob([...this.parts, ...this.directory, end], { type: "application/zip" });
  }

  /** A name that no file has yet. */
  private free(name: string): string {
    const [, stem, extension] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? ["", name, "", ""];
    let found = name;
    for (let k = 2; this.names.has(found); k++) found = `${stem} (${k})${extension ?? ""}`;
    this.names.add(found);
    return found;
  }
}

function fields(...values: readonly (readonly [number, number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.reduce((total, [, size]) => total + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of values) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function dosTime(at: Date): number {
  return (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
}

function dosDate(at: Date): number {
  return ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
}
