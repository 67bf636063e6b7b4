// SPDX-License-Identifier: Apache-2.0
/** The page's side of the worker. */
import type { Progress } from "../models/download";
import { Trouble } from "../trouble";
import type { Answer, Name, News, Request, Requests } from "./protocol";

interface Waiting {
  readonly resolve: (give: never) => void;
  readonly reject: (reason: Error) => void;
}

export class Runtime {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** @param report called as the models come in. */
  constructor(report: (progress: Progress) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<Answer | News>): void => {
      if ("progress" in data) {
        report(data.progress);
        return;
      }
      const one = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      const { failure } = data;
      if (failure === undefined) one?.resolve(data.give as never);
      else one?.reject(new Trouble(failure.kind, failure.values));
    };
    this.worker.onerror = ({ message }): void => {
      const reason = new Trouble("worker", { message });
      this.waiting.forEach(({ reject }) => reject(reason));
      this.waiting.clear();
    };
  }

  /** Ask the worker, handing some of it over; fails with a Trouble. */
  call<N extends Name>(
    name: N,
    take: Requests[N]["take"],
    transfer: Transferable[] = [],
  ): Promise<Requests[N]["give"]> {
    const request: Request<N> = { id: ++this.last, name, take };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request, transfer);
    });
  }

  /** Free what the worker holds; whoever waits for an answer gets none. */
  close(): void {
    this.worker.terminate();
    this.waiting.clear();
  }
}

/** Does a task with the latest input: while it is busy, only the newest one waits. */
export class Latest<T> {
  private next: { readonly input: T } | null = null;
  private isBusy = false;

  /** @param idle called when nothing waits any more. */
  constructor(
    private readonly task: (input: T) => Promise<void>,
    private readonly idle: () => void = () => {},
  ) {}

  give(input: T): void {
    this.next = { input };
    if (!this.isBusy) void this.work();
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    while (this.next !== null) {
      const { input } = this.next;
      this.next = null;
      await this.task(input);
    }
    this.isBusy = false;
    this.idle();
  }
}
