// SPDX-License-Identifier: Apache-2.0
/** The page's side of the worker. */
import type { Answer, Name, Request, Requests } from "./protocol";

interface Waiting {
  readonly resolve: (give: never) => void;
  readonly reject: (reason: Error) => void;
}

export class Runtime {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>): void => {
      const one = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error === undefined) one?.resolve(data.give as never);
      else one?.reject(new Error(data.error));
    };
    this.worker.onerror = (event): void => {
      const reason = new Error(`The page's worker failed (${event.message}). Reload the page.`);
      this.waiting.forEach(({ reject }) => reject(reason));
      this.waiting.clear();
    };
  }

  /** Ask the worker; fails with a sentence for the user. */
  call<N extends Name>(name: N, take: Requests[N]["take"]): Promise<Requests[N]["give"]> {
    const request: Request<N> = { id: ++this.last, name, take };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}

/** Does a task with the latest input: while it is busy, only the newest one waits. */
export class Latest<T> {
  private next: T | null = null;
  private busy = false;

  constructor(private readonly task: (input: T) => Promise<void>) {}

  give(input: T): void {
    this.next = input;
    if (!this.busy) void this.work();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.next !== null) {
      const input = this.next;
      this.next = null;
      await this.task(input);
    }
    this.busy = false;
  }
}
