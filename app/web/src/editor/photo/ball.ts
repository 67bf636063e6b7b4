// SPDX-License-Identifier: Apache-2.0
/** The suns: each light is a point on a ball over the face; inside its rim it is in front. */
import { angles, RADIAN, type Vector } from "../../geometry";
import { clamp } from "../../image/raster";
import { towards } from "../../light";
import type { EditorLight } from "../history";
import { say } from "../text/message";

const SVG = "http://www.w3.org/2000/svg";
/** The ball's radius over the face's larger side. */
const REACH = 0.85;
/** The ball's radius at most, over the smaller side of the window: so close-ups can be lit. */
const WITHIN = 0.29;
/** And at least, CSS pixels. */
const LEAST = 44;
/** How far beyond the rim, in radii, a light straight behind the head is shown. */
const BEHIND = 0.6;
/** Lights further behind than this, in degrees from the camera, cannot be dragged. */
const FURTHEST = 170;
/** What a sun stays away from the window's edge. */
const MARGIN = 22;
const STEP_DEG = 5;
const FINE_STEP_DEG = 1;
const RAYS = 8;
/** Half the side of a sun's square, CSS pixels: as in the stylesheet. */
const HALF = 26;

/** A rectangle in CSS pixels of the window. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What the user does with a sun by the keyboard. */
export interface BallListener {
  select(index: number): void;
  move(index: number, azimuth: number, elevation: number): void;
}

export class Ball {
  private middle = { x: 0, y: 0 };
  private radius = 1;
  private room = { width: 1, height: 1 };
  private readonly rim: SVGCircleElement;
  private handles: HTMLElement[] = [];
  private grip: { index: number; x: number; y: number } | null = null;

  /**
   * @param svg is drawn on.
   * @param suns holds the suns: each is a layer of its own, which moves without being drawn anew.
   */
  constructor(
    svg: SVGSVGElement,
    private readonly suns: HTMLElement,
    private readonly listener: BallListener,
  ) {
    this.rim = document.createElementNS(SVG, "circle");
    this.rim.classList.add("rim");
    svg.append(this.rim);
  }

  /** Put the ball over a face, within a window of a size, CSS pixels. */
  over(face: Place, width: number, height: number): void {
    this.room = { width, height };
    const most = Math.max(LEAST, WITHIN * Math.min(width, height));
    this.radius = clamp(REACH * Math.max(face.width, face.height), LEAST, most);
    const inside = (at: number, size: number): number =>
      size < 2 * this.radius ? size / 2 : clamp(at, this.radius, size - this.radius);
    this.middle = {
      x: inside(face.left + face.width / 2, width),
      y: inside(face.top + face.height / 2, height),
    };
    this.rim.setAttribute("cx", String(this.middle.x));
    this.rim.setAttribute("cy", String(this.middle.y));
    this.rim.setAttribute("r", String(this.radius));
  }

  show(lights: readonly EditorLight[], selected: number): void {
    while (this.handles.length > lights.length) this.handles.pop()?.remove();
    while (this.handles.length < lights.length) this.handles.push(this.addHandle());
    lights.forEach((light, index) => {
      const handle = this.handles[index];
      const [x, y] = this.visible(this.position(towards(light)));
      const side = say(light.azimuth_deg > 0 ? "angleRight" : "angleLeft");
      const height = say(light.elevation_deg >= 0 ? "angleUp" : "angleDown");
      const [azimuth, elevation] = [light.azimuth_deg, light.elevation_deg].map((angle) =>
        Math.abs(angle).toFixed(0),
      );
      handle.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      handle.dataset.azimuth = String(light.azimuth_deg);
      handle.dataset.elevation = String(light.elevation_deg);
      handle.classList.toggle("selected", index === selected);
      handle.classList.toggle("behind", Math.abs(light.azimuth_deg) > 90);
      handle.classList.toggle("off", light.intensity === 0);
      handle.setAttribute("aria-label", say("sunLabel", { number: index + 1 }));
      handle.setAttribute("aria-valuenow", light.azimuth_deg.toFixed(0));
      handle.setAttribute("aria-valuetext", say("sunValue", { azimuth, side, elevation, height }));
    });
  }

  focus(index: number): void {
    this.handles[index]?.focus();
  }

  /** The sun at a point, if there is one. */
  at(x: number, y: number, lights: readonly EditorLight[]): number | null {
    const distances = lights.map((light) => {
      const [a, b] = this.visible(this.position(towards(light)));
      return Math.hypot(x - a, y - b);
    });
    const nearest = distances.indexOf(Math.min(...distances));
    return distances[nearest] <= MARGIN + 4 ? nearest : null;
  }

  /** Begin to drag a light: it keeps its place under the finger, wherever that is. */
  take(index: number, light: EditorLight): void {
    const [x, y] = this.position(towards(light));
    this.grip = { index, x, y };
    this.suns.classList.add("dragging");
  }

  /** Azimuth and elevation in degrees after a drag so far. */
  dragged(dx: number, dy: number): [number, number] {
    const { grip, middle, radius } = this;
    if (grip === null) return [0, 0];
    const [x, y] = [grip.x + dx - middle.x, grip.y + dy - middle.y];
    const far = Math.hypot(x, y);
    const most = radius * (1 + BEHIND);
    if (far <= most) return this.pointed(x, y);
    // Beyond its range the light stays, and comes back as soon as the finger does.
    const [px, py] = [(x / far) * most, (y / far) * most];
    this.grip = { ...grip, x: middle.x + px - dx, y: middle.y + py - dy };
    return this.pointed(px, py);
  }

  release(): void {
    this.grip = null;
    this.suns.classList.remove("dragging");
  }

  /** Where a direction is shown. */
  private position([x, y, z]: Vector): [number, number] {
    const across = Math.hypot(x, y);
    const off = Math.atan2(across, z);
    const share = z >= 0 ? across : 1 + ((off - Math.PI / 2) / (Math.PI / 2)) * BEHIND;
    const scale = across > 1e-6 ? (share * this.radius) / across : 0;
    return [this.middle.x + x * scale, this.middle.y - y * scale];
  }

  private visible([x, y]: [number, number]): [number, number] {
    const { width, height } = this.room;
    return [clamp(x, MARGIN, width - MARGIN), clamp(y, MARGIN, height - MARGIN)];
  }

  /** Azimuth and elevation in degrees of a point, CSS pixels from the ball's middle. */
  private pointed(x: number, y: number): [number, number] {
    const [dx, dy] = [x / this.radius, -y / this.radius];
    const share = Math.hypot(dx, dy);
    const beyond = Math.PI / 2 + (Math.min(share - 1, BEHIND) / BEHIND) * (Math.PI / 2);
    const off = share <= 1 ? Math.asin(share) : Math.min(beyond, FURTHEST * RADIAN);
    const scale = share > 1e-6 ? Math.sin(off) / share : 0;
    const [azimuth, elevation] = angles([dx * scale, dy * scale, Math.cos(off)]);
    return [azimuth / RADIAN, elevation / RADIAN];
  }

  private addHandle(): HTMLElement {
    const handle = document.createElement("div");
    const sun = document.createElementNS(SVG, "svg");
    sun.setAttribute("viewBox", `${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`);
    sun.setAttribute("aria-hidden", "true");
    handle.append(sun);
    const part = (name: string, kind: string, attributes: Record<string, number>): void => {
      const shape = document.createElementNS(SVG, kind);
      shape.classList.add(name);
      for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
      sun.append(shape);
    };
    part("touch", "circle", { r: 24 });
    for (let k = 0; k < RAYS; k++) {
      const angle = (k * 2 * Math.PI) / RAYS;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      part("ray", "line", { x1: 12 * cos, y1: 12 * sin, x2: 17 * cos, y2: 17 * sin });
    }
    part("dot", "circle", { r: 8 });
    handle.classList.add("handle");
    handle.setAttribute("tabindex", "0");
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-valuemin", "-180");
    handle.setAttribute("aria-valuemax", "180");
    handle.addEventListener("keydown", (event) => this.step(handle, event));
    handle.addEventListener("focus", () => this.listener.select(this.handles.indexOf(handle)));
    this.suns.append(handle);
    return handle;
  }

  private step(handle: HTMLElement, event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const size = event.shiftKey ? FINE_STEP_DEG : STEP_DEG;
    const [azimuth, elevation] = [Number(handle.dataset.azimuth), Number(handle.dataset.elevation)];
    this.listener.move(
      this.handles.indexOf(handle),
      azimuth + step[0] * size,
      clamp(elevation + step[1] * size, -90, 90),
    );
  }
}
