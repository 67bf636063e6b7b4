// SPDX-License-Identifier: Apache-2.0
/** The photo and what lies over it: suns, faces, the divider of the comparison. */
import type { Order } from "../../drawing/brush";
import { Easel } from "../../drawing/easel";
import { clamp } from "../../image/raster";
import type { Gain, Opened, Part, Picture, ShownFace } from "../../worker/protocol";
import { block, element } from "../element";
import type { Choice } from "../history";
import { say } from "../text/message";
import { Ball, type Place } from "./ball";
import { Gestures } from "./gesture";
import { Viewport } from "./viewport";

const SVG = "http://www.w3.org/2000/svg";
/** Milliseconds that the view rests before sharper pixels are fetched for it. */
const REST = 140;
/** Pixels of the photo that are fetched at once, at most. */
const MOST_DETAIL = 12e6;
/** Zoom of a double tap, over the photo's own pixels. */
const CLOSE = 1;
const STEP = 0.02;

/** What the user does with the photo. */
export interface StageListener {
  /** A light is dragged: the nearest sun's, or the selected one's. */
  take(index: number | null): void;
  move(azimuth: number, elevation: number): void;
  drop(isKept: boolean): void;
  step(index: number, azimuth: number, elevation: number): void;
  select(index: number): void;
  toggleFace(index: number): void;
  fetchDetail(part: Part): Promise<Picture>;
  zoomed(percent: number): void;
}

export class Stage {
  readonly ball: Ball;
  private readonly stage = block("stage");
  private readonly overlay = element("overlay", SVGSVGElement);
  private readonly divider = block("divider");
  private readonly easel = new Easel(element("picture", HTMLCanvasElement));
  private readonly viewport = new Viewport(() => this.moved());
  private opened: Opened | null = null;
  private faces: readonly ShownFace[] = [];
  private choice: Choice | null = null;
  private marks: SVGRectElement[] = [];
  private isComparing = false;
  private split: number | null = null;
  private isMoving = false;
  private frame = 0;
  /** How often something was asked to be drawn. */
  private asked = 0;
  private resting = 0;

  constructor(private readonly listener: StageListener) {
    const { stage } = this;
    this.ball = new Ball(this.overlay, block("suns"), {
      select: (index) => listener.select(index),
      move: (index, azimuth, elevation) => listener.step(index, azimuth, elevation),
    });
    new Gestures(stage, {
      begin: (x, y) => {
        if (this.choice === null || this.faces.length === 0) return;
        this.isMoving = true;
        this.changed();
        listener.take(this.ball.at(x, y, this.choice.lights));
      },
      move: (dx, dy) => {
        if (this.isMoving) listener.move(...this.ball.dragged(dx, dy));
      },
      end: (isKept) => {
        if (!this.isMoving) return;
        this.isMoving = false;
        this.ball.release();
        listener.drop(isKept);
        this.changed();
      },
      tap: (x, y) => this.tap(x, y),
      zoom: (factor, x, y) => this.viewport.zoom(factor, x, y),
      pan: (dx, dy) => this.viewport.pan(dx, dy),
      toggleZoom: (x, y) => this.toggleZoom(x, y),
    });
    this.listenToDivider();
    const resize = (): void => {
      this.viewport.resize(stage.clientWidth, stage.clientHeight, window.devicePixelRatio);
    };
    new ResizeObserver(resize).observe(stage);
    resize();
  }

  show(opened: Opened): void {
    this.opened = opened;
    this.choice = null;
    this.found([]);
    delete this.easel.canvas.dataset.detail;
    const { preview: picture, columns, rows } = opened;
    this.put({ show: { picture, columns, rows } });
    this.viewport.photo(opened.columns, opened.rows);
    this.stage.classList.remove("ready");
  }

  /** Say where the faces are. */
  found(faces: readonly ShownFace[]): void {
    this.faces = faces;
    this.marks.forEach((mark) => mark.remove());
    this.marks = faces.length < 2 ? [] : faces.map(() => document.createElementNS(SVG, "rect"));
    this.marks.forEach((mark) => {
      mark.classList.add("face");
      mark.setAttribute("rx", "12");
    });
    this.overlay.prepend(...this.marks);
  }

  choose(choice: Choice): void {
    const isFirst = this.choice === null;
    this.choice = choice;
    this.stage.classList.add("ready");
    this.marks.forEach((mark, k) => mark.classList.toggle("lit", choice.faces.includes(k)));
    if (isFirst || !this.isMoving) this.lay();
    this.ball.show(choice.lights, choice.selected);
  }

  /** Show the photo under a light, which is handed over. */
  light(gain: Gain): void {
    this.put({ light: gain });
  }

  /** Show the photo as it was, for as long as the user wants. */
  compare(isOn: boolean): void {
    this.isComparing = isOn;
    this.stage.classList.toggle("comparing", isOn);
    this.changed();
  }

  /** Show the photo as it was left of a divider. */
  divide(isOn: boolean): void {
    this.split = isOn ? 0.5 : null;
    this.divider.hidden = !isOn;
    this.stage.classList.toggle("divided", isOn);
    this.changed();
  }

  get isDivided(): boolean {
    return this.split !== null;
  }

  zoom(factor: number): void {
    const { width, height, density } = this.viewport;
    this.viewport.zoom(factor, width / density / 2, height / density / 2);
  }

  fit(): void {
    this.viewport.fit();
  }

  full(): void {
    this.viewport.full();
  }

  /** Wait until the picture is drawn. */
  finished(): Promise<void> {
    this.draw();
    return this.easel.finished();
  }

  private toggleZoom(x: number, y: number): void {
    if (this.viewport.isZoomed) this.viewport.fit();
    else this.viewport.zoom(CLOSE / this.viewport.scale, x, y);
  }

  private tap(x: number, y: number): boolean {
    if (this.choice === null) return false;
    const sun = this.ball.at(x, y, this.choice.lights);
    if (sun !== null) {
      this.listener.select(sun);
      return true;
    }
    if (this.faces.length < 2) return false;
    const [u, v] = this.viewport.point(x, y);
    const hit = this.faces.findIndex(
      ({ left, top, width, height }) =>
        u >= left && u <= left + width && v >= top && v <= top + height,
    );
    if (hit >= 0) this.listener.toggleFace(hit);
    return hit >= 0;
  }

  private moved(): void {
    this.lay();
    this.changed();
    this.stage.classList.toggle("zoomed", this.viewport.isZoomed);
    this.listener.zoomed(Math.round(this.viewport.scale * 100));
    window.clearTimeout(this.resting);
    this.resting = window.setTimeout(() => void this.sharpen(), REST);
  }

  /** Fetch the photo's own pixels where the preview's are too few. */
  private async sharpen(): Promise<void> {
    const { opened, viewport } = this;
    if (opened === null || viewport.scale * opened.columns <= opened.preview.columns * 1.02) return;
    if (opened.preview.columns === opened.columns) return;
    const part = viewport.part();
    if (part.columns * part.rows > MOST_DETAIL) return;
    const picture = await this.listener.fetchDetail(part);
    if (opened !== this.opened) return;
    this.put({ detail: { part, picture } });
    this.easel.canvas.dataset.detail = [part.left, part.top, part.columns, part.rows].join();
  }

  private onScreen({ left, top, width, height }: ShownFace): Place {
    const [x, y] = this.viewport.place(left, top);
    const [right, bottom] = this.viewport.place(left + width, top + height);
    return { left: x, top: y, width: right - x, height: bottom - y };
  }

  /** Fit what lies over the photo to what is seen of it. */
  private lay(): void {
    const { viewport, choice } = this;
    const [width, height] = [viewport.width / viewport.density, viewport.height / viewport.density];
    this.marks.forEach((mark, k) => {
      const place = this.onScreen(this.faces[k]);
      const names = ["x", "y", "width", "height"] as const;
      [place.left, place.top, place.width, place.height].forEach((value, i) =>
        mark.setAttribute(names[i], value.toFixed(1)),
      );
    });
    const face = this.faces[choice?.faces[0] ?? 0];
    if (face === undefined || choice === null) return;
    this.ball.over(this.onScreen(face), width, height);
    this.ball.show(choice.lights, choice.selected);
  }

  private changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { viewport, isMoving } = this;
    const { x, y, scale, width, height } = viewport;
    const split = this.isComparing ? Infinity : (this.split ?? 0) * width;
    this.put({ frame: { x, y, scale, width, height, split }, isMoving });
    this.divider.style.left = `${(this.split ?? 0.5) * 100}%`;
    this.divider.setAttribute("aria-valuenow", String(Math.round((this.split ?? 0.5) * 100)));
  }

  /** Have something drawn; once it is, the canvas says where the photo lies on it. */
  private put(order: Order): void {
    const { easel, viewport } = this;
    const asked = ++this.asked;
    delete easel.canvas.dataset.view;
    easel.put(order);
    void easel.finished().then(() => {
      if (asked !== this.asked || this.frame !== 0) return;
      easel.canvas.dataset.view = [viewport.x, viewport.y, viewport.scale].join();
    });
  }

  private listenToDivider(): void {
    const { divider } = this;
    const to = (share: number): void => {
      this.split = clamp(share, 0, 1);
      this.changed();
    };
    divider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      divider.focus();
      divider.setPointerCapture(event.pointerId);
    });
    divider.addEventListener("pointermove", (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const box = this.stage.getBoundingClientRect();
      to((event.clientX - box.left) / box.width);
    });
    divider.addEventListener("keydown", ({ key, shiftKey }) => {
      const step = shiftKey ? STEP * 5 : STEP;
      if (key === "ArrowLeft") to((this.split ?? 0.5) - step);
      if (key === "ArrowRight") to((this.split ?? 0.5) + step);
    });
    divider.setAttribute("aria-label", say("divider"));
  }
}
