// SPDX-License-Identifier: Apache-2.0
/** Draws on a compositor what was asked for last: never more than a slow GPU can follow. */
import type { Gain } from "../worker/protocol";
import type { Compositor, Frame, Near, Shown } from "./compositor";

/** What is to be drawn from now on; what an order does not name stays. */
export interface Order {
  readonly show?: Shown;
  readonly light?: Gain | null;
  readonly detail?: Near;
  readonly frame?: Frame;
  /** Something moves: if drawing takes long, a coarser picture will do. */
  readonly isMoving?: boolean;
}

/** Milliseconds that a drawing may take while something moves. */
const PATIENCE = 22;
/** Sizes of a picture that is drawn coarser. */
const COARSER = [1, 0.5, 0.35];
/** Weight of the latest drawing in what drawings are expected to take. */
const LATEST = 0.5;

export class Brush {
  private next: Order = {};
  /** What is drawn by now. */
  private held: Order = {};
  private isBusy = false;
  /** Milliseconds a pixel. */
  private cost = 0;
  private waiting: (() => void)[] = [];

  constructor(private compositor: Compositor) {}

  take(order: Order): void {
    this.next = joined(this.next, order);
    if (!this.isBusy) void this.work();
  }

  /** Go on with another compositor, where the one before has failed. */
  use(compositor: Compositor): void {
    this.compositor = compositor;
    this.take(joined(this.held, this.next));
  }

  /** Resolves when everything that was asked for is drawn. */
  finished(): Promise<void> {
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    while (Object.keys(this.next).length > 0) {
      await nextFrame();
      const { compositor, next, held } = this;
      const { show, light, detail } = next;
      this.next = {};
      this.held = joined(held, next);
      if (show !== undefined) compositor.show(show);
      if (light !== undefined) compositor.light(light);
      if (detail !== undefined) compositor.detail(detail);
      await this.draw();
    }
    this.isBusy = false;
    this.waiting.splice(0).forEach((resolve) => resolve());
  }

  private async draw(): Promise<void> {
    const { frame, isMoving = false } = this.held;
    if (frame === undefined) return;
    const start = performance.now();
    const pixels = this.compositor.draw(isMoving ? scaled(frame, this.coarseness(frame)) : frame);
    await this.compositor.finished();
    if (pixels === 0) return;
    const cost = (performance.now() - start) / pixels;
    this.cost = this.cost === 0 ? cost : this.cost + (cost - this.cost) * LATEST;
  }

  /** The finest size that can be drawn in time. */
  private coarseness({ width, height }: Frame): number {
    const whole = this.cost * width * height;
    const least = COARSER[COARSER.length - 1];
    return COARSER.find((size) => whole * size * size <= PATIENCE) ?? least;
  }
}

/** Two orders, one after the other. */
function joined(first: Order, then: Order): Order {
  if (then.show === undefined) return { ...first, ...then };
  // A new photo has no light yet, and none of the details of the one before.
  const { light: _, detail: __, ...kept } = first;
  return { ...kept, ...then };
}

function scaled({ x, y, scale, width, height, split }: Frame, by: number): Frame {
  return {
    x: x * by,
    y: y * by,
    scale: scale * by,
    width: Math.max(1, Math.round(width * by)),
    height: Math.max(1, Math.round(height * by)),
    split: split * by,
  };
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
