// SPDX-License-Identifier: Apache-2.0
/** What fingers, pens and mice do on the photo: drag, tap, pinch, pan and wheel. */

/** Points are in CSS pixels of the element. */
export interface GestureListener {
  /** A drag begins where the pointer went down. */
  begin(x: number, y: number): void;
  /** It has come so far since its beginning. */
  move(dx: number, dy: number): void;
  /** @param isKept false if it was broken off: nothing of it must stay. */
  end(isKept: boolean): void;
  /** @returns whether it meant something; if not, two of them zoom. */
  tap(x: number, y: number): boolean;
  zoom(factor: number, x: number, y: number): void;
  pan(dx: number, dy: number): void;
  /** The photo is looked at closely or as a whole. */
  toggleZoom(x: number, y: number): void;
}

/** CSS pixels that a pointer moves before a press counts as a drag. */
const SLACK = { mouse: 2, pen: 4, touch: 6 };
/** Zoom of one wheel pixel. */
const WHEEL = 0.0022;
const LINE = 16;
/** Two taps within so many milliseconds and CSS pixels are one double tap. */
const TWICE_MS = 320;
const NEARBY = 24;

interface Point {
  x: number;
  y: number;
}

type Mode = "idle" | "pressed" | "dragging" | "panning" | "pinching" | "spent";

export class Gestures {
  private readonly pointers = new Map<number, Point>();
  private mode: Mode = "idle";
  private start: Point = { x: 0, y: 0 };
  private isSpaceDown = false;
  private lastTap = { at: -Infinity, x: 0, y: 0 };

  constructor(
    private readonly element: HTMLElement,
    private readonly listener: GestureListener,
  ) {
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.moved(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.broken(event));
    element.addEventListener("lostpointercapture", (event) => this.broken(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("contextmenu", (event) => {
      if (this.pointers.size > 0) event.preventDefault(); // a long press is no menu
    });
    window.addEventListener("keydown", ({ key }) => (this.isSpaceDown ||= key === " "));
    window.addEventListener("keyup", ({ key }) => (this.isSpaceDown &&= key !== " "));
    window.addEventListener("blur", () => {
      this.isSpaceDown = false;
      this.breakOff();
    });
  }

  private at(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    if (event.target instanceof Element && event.target.closest("[data-own]")) return;
    const isPanning = event.button === 1 || (event.button === 0 && this.isSpaceDown);
    if (event.button !== 0 && !isPanning) return;
    const point = this.at(event);
    this.pointers.set(event.pointerId, point);
    this.element.setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") event.preventDefault();
    if (this.pointers.size === 1) {
      this.start = point;
      this.mode = isPanning ? "panning" : "pressed";
    } else if (this.pointers.size === 2) {
      if (this.mode === "dragging") this.listener.end(false);
      this.mode = "pinching";
    }
  }

  private moved(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.at(event);
    const [dx, dy] = [now.x - this.start.x, now.y - this.start.y];
    if (this.mode === "pinching") this.pinch(event.pointerId, before, now);
    if (this.mode === "panning") this.listener.pan(now.x - before.x, now.y - before.y);
    this.pointers.set(event.pointerId, now);
    const slack = SLACK[event.pointerType as keyof typeof SLACK] ?? SLACK.touch;
    if (this.mode === "pressed" && Math.hypot(dx, dy) >= slack) {
      this.mode = "dragging";
      this.listener.begin(this.start.x, this.start.y);
    }
    if (this.mode === "dragging") this.listener.move(dx, dy);
  }

  private pinch(id: number, before: Point, now: Point): void {
    const [other] = [...this.pointers].filter(([key]) => key !== id).map(([, point]) => point);
    const apart = (a: Point): number => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
    const [x, y] = [(now.x + other.x) / 2, (now.y + other.y) / 2];
    this.listener.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.listener.zoom(apart(now) / apart(before), x, y);
  }

  private up(event: PointerEvent): void {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.mode === "dragging") this.listener.end(true);
    if (this.mode === "pressed") this.tap(this.at(event));
    this.mode = this.pointers.size === 0 ? "idle" : "spent";
  }

  private tap(point: Point): void {
    if (this.listener.tap(point.x, point.y)) return;
    const { at, x, y } = this.lastTap;
    const now = performance.now();
    const isSecond = now - at < TWICE_MS && Math.hypot(point.x - x, point.y - y) < NEARBY;
    this.lastTap = { at: isSecond ? -Infinity : now, ...point };
    if (isSecond) this.listener.toggleZoom(point.x, point.y);
  }

  private broken(event: PointerEvent): void {
    if (this.pointers.has(event.pointerId)) this.breakOff();
  }

  private breakOff(): void {
    this.pointers.clear();
    if (this.mode === "dragging") this.listener.end(false);
    this.mode = "idle";
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.at(event);
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    // Trackpads pinch as a wheel with Ctrl, in smaller steps.
    const strength = event.ctrlKey ? 4 : 1;
    this.listener.zoom(Math.exp(-event.deltaY * unit * WHEEL * strength), x, y);
  }
}
