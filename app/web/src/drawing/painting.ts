// SPDX-License-Identifier: Apache-2.0
/** Drawing in a worker: its door. */
import { Brush, type Order } from "./brush";
import { createCompositor, gpuIsBack } from "./compositor";

/** What the page asks for. */
export interface Asked {
  /** Sent first, if drawing here was found possible, and after each loss. */
  readonly canvas?: OffscreenCanvas;
  readonly order?: Order;
  /** To be answered by the same number when all is drawn. */
  readonly finish?: number;
}

/** What the worker says: first whether it can draw. */
export interface Said {
  readonly isAble?: boolean;
  readonly finished?: number;
  /** The GPU was lost, and a fresh canvas is needed. */
  readonly isLost?: boolean;
}

const say = (said: Said): void => self.postMessage(said);

let brush: Brush | null = null;

self.onmessage = ({ data: { canvas, order, finish } }: MessageEvent<Asked>): void => {
  if (canvas !== undefined) {
    const lost = (): void => void gpuIsBack().then(() => say({ isLost: true }));
    const compositor = createCompositor(canvas, lost);
    if (brush === null) brush = new Brush(compositor);
    else brush.use(compositor);
  }
  if (order !== undefined) brush?.take(order);
  if (finish !== undefined) void brush?.finished().then(() => say({ finished: finish }));
};

const isAble =
  "requestAnimationFrame" in self && new OffscreenCanvas(1, 1).getContext("webgl2") !== null;
say({ isAble });
