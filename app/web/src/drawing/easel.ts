// SPDX-License-Identifier: Apache-2.0
/**
 * A canvas that is drawn on in a worker, so that nothing of it keeps the page waiting; by the page
 * itself where the browser's workers have no WebGL 2 (Safari before 17).
 *
 * `show` a photo, say where it lies (`frame`), and give its `light` as often as it changes: of
 * what comes faster than it can be drawn, the newest is. Pixels and gains are handed over: who
 * gives them cannot read them any more.
 *
 * A film, whose pictures are to be recorded, is drawn by the page itself: `createCompositor`.
 */
import { Brush, type Order } from "./brush";
import { createCompositor, gpuIsBack, type Compositor } from "./compositor";
import type { Asked, Said } from "./painting";

export class Easel {
  private readonly worker: Worker | null = null;
  private brush: Brush | null = null;
  /** What was asked for before it was known who draws. */
  private early: Asked[] | null = [];
  private readonly waiting = new Map<number, () => void>();
  private last = 0;

  /** @param canvas is drawn on until the GPU is lost: then a fresh one takes its place. */
  constructor(public canvas: HTMLCanvasElement) {
    if (!("transferControlToOffscreen" in canvas)) {
      this.begin(false);
      return;
    }
    this.worker = new Worker(new URL("./painting.ts", import.meta.url));
    this.worker.onmessage = ({ data }: MessageEvent<Said>): void => {
      const { isAble, finished, isLost } = data;
      if (isAble !== undefined) this.begin(isAble);
      if (isLost) this.replace();
      if (finished === undefined) return;
      this.waiting.get(finished)?.();
      this.waiting.delete(finished);
    };
    this.worker.onerror = (): void => {
      if (this.early !== null) this.begin(false); // it did not even start
    };
  }

  put(order: Order): void {
    this.ask({ order });
  }

  /** Resolves when everything that was asked for is drawn. */
  finished(): Promise<void> {
    const finish = ++this.last;
    return new Promise((resolve) => {
      this.waiting.set(finish, resolve);
      this.ask({ finish });
    });
  }

  private begin(isAble: boolean): void {
    const { early } = this;
    this.early = null;
    if (isAble) this.handOver();
    else {
      this.worker?.terminate();
      this.brush = new Brush(this.compositor());
    }
    early?.forEach((asked) => this.ask(asked));
  }

  private handOver(): void {
    const canvas = this.canvas.transferControlToOffscreen();
    this.worker?.postMessage({ canvas } satisfies Asked, [canvas]);
  }

  private compositor(): Compositor {
    return createCompositor(this.canvas, () => void gpuIsBack().then(() => this.replace()));
  }

  private replace(): void {
    this.canvas = renewed(this.canvas);
    if (this.brush === null) this.handOver();
    else this.brush.use(this.compositor());
  }

  private ask(asked: Asked): void {
    const { early, brush, worker } = this;
    if (early !== null) early.push(asked);
    else if (brush === null) worker?.postMessage(asked, owned(asked));
    else {
      if (asked.order !== undefined) brush.take(asked.order);
      const { finish } = asked;
      if (finish !== undefined) void brush.finished().then(() => this.waiting.get(finish)?.());
    }
  }
}

/** A fresh canvas in a canvas's place: browsers do not bring a lost one back as surely. */
export function renewed(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const fresh = canvas.cloneNode() as HTMLCanvasElement;
  canvas.replaceWith(fresh);
  return fresh;
}

/** What of an order is handed over rather than copied. */
function owned({ order = {} }: Asked): Transferable[] {
  const { show, light, detail } = order;
  return [show?.picture, detail?.picture, light]
    .filter((one) => one !== undefined && one !== null)
    .map((one) => one.data.buffer);
}
