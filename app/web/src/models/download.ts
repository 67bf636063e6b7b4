// SPDX-License-Identifier: Apache-2.0
/** Files fetched with patience: tried again after a failure, and counted as they come in. */
import { Trouble } from "../trouble";

/** Bytes on the wire: how many have come, and how many are expected. */
export interface Progress {
  readonly loaded: number;
  readonly total: number;
}

/** Milliseconds before each further try. */
const PAUSES = [400, 1500, 4000];
/** Share of a file that compression is expected to leave, until the server tells. */
const PACKED = 0.87;

export class Downloads {
  private readonly files = new Map<string, { loaded: number; total: number }>();

  /** @param report called whenever more has come. */
  constructor(private readonly report: (progress: Progress) => void = () => {}) {}

  /** Expect a file of about so many bytes, so that the total is right from the start. */
  expect(address: string, size: number): void {
    if (!this.files.has(address)) this.files.set(address, { loaded: 0, total: size * PACKED });
  }

  /**
   * A file's content.
   *
   * @param size its bytes once unpacked; without it, progress is not counted.
   * @throws Trouble if it cannot be had, after several tries.
   */
  async fetch(address: string, size?: number): Promise<Uint8Array<ArrayBuffer>> {
    for (const pause of [...PAUSES, null]) {
      try {
        const answer = await fetch(address);
        // What is missing stays missing; what a server cannot do now it may do later.
        if (answer.status >= 400 && answer.status < 500) {
          throw new Trouble("outdated", { file: nameOf(address) });
        }
        if (answer.ok) return await this.read(answer, address, size);
      } catch (error) {
        if (error instanceof Trouble) throw error;
      }
      if (pause !== null) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    throw new Trouble("download", { file: nameOf(address) });
  }

  private async read(
    answer: Response,
    address: string,
    size?: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (size === undefined || !answer.body) return new Uint8Array(await answer.arrayBuffer());
    const total = Number(answer.headers?.get("content-length")) || size;
    const chunks: Uint8Array[] = [];
    let length = 0;
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      this.count(address, Math.min(1, length / size) * total, total);
    }
    this.count(address, total, total);
    const content = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      content.set(chunk, at);
      at += chunk.length;
    }
    return content;
  }

  private count(address: string, loaded: number, total: number): void {
    this.files.set(address, { loaded, total });
    const sum = { loaded: 0, total: 0 };
    this.files.forEach((file) => {
      sum.loaded += file.loaded;
      sum.total += file.total;
    });
    this.report(sum);
  }
}

function nameOf(address: string): string {
  return new URL(address).pathname.split("/").pop() ?? address;
}
