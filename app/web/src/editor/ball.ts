// SPDX-License-Identifier: Apache-2.0
/** The handles: each light is a point on a ball over the face; inside its rim it is in front. */
import { angles, RADIAN, type Vector } from "../geometry";
import { towards } from "../light";
import { clamp } from "../image/raster";
import type { EditorLight } from "./history";

const SVG = "http://www.w3.org/2000/svg";
/** The ball's radius over the face's larger side. */
const REACH = 0.85;
/** How far beyond the rim, in radii, a light straight behind the head is shown. */
const BEHIND = 0.6;
/** Lights further behind than this, in degrees from the camera, cannot be dragged. */
const FURTHEST = 170;
const STEP_DEG = 5;
const FINE_STEP_DEG = 1;

/** The ball on the picture, in CSS pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** What the user does with a handle. */
export interface BallListener {
  select(index: number): void;
  /** @param done whether the move has ended. */
  move(index: number, azimuth: number, elevation: number, done: boolean): void;
}

export class Ball {
  private place: Place = { x: 0, y: 0, radius: 1 };
  private readonly rim: SVGCircleElement;
  private handles: SVGGElement[] = [];

  constructor(
    private readonly svg: SVGSVGElement,
    private readonly listener: BallListener,
  ) {
    this.rim = document.createElementNS(SVG, "circle");
    this.rim.classList.add("rim");
    svg.append(this.rim);
  }

  /** Put the ball over a face: left, top, width, height in CSS pixels of the picture. */
  over(left: number, top: number, width: number, height: number): void {
    const radius = Math.max(44, REACH * Math.max(width, height));
    this.place = { x: left + width / 2, y: top + height / 2, radius };
    this.rim.setAttribute("cx", String(this.place.x));
    this.rim.setAttribute("cy", String(this.place.y));
    this.rim.setAttribute("r", String(radius));
  }

  show(lights: readonly EditorLight[], selected: number): void {
    while (this.handles.length > lights.length) this.handles.pop()?.remove();
    while (this.handles.length < lights.length) this.handles.push(this.addHandle());
    lights.forEach((light, index) => {
      const handle = this.handles[index];
      const [x, y] = this.position(towards(light));
      const behind = Math.abs(light.azimuth_deg) > 90;
      const side = light.azimuth_deg > 0 ? "right" : "left";
      const height = light.elevation_deg >= 0 ? "up" : "down";
      handle.setAttribute("transform", `translate(${x} ${y})`);
      handle.dataset.azimuth = String(light.azimuth_deg);
      handle.dataset.elevation = String(light.elevation_deg);
      handle.classList.toggle("selected", index === selected);
      handle.classList.toggle("behind", behind);
      handle.setAttribute("aria-label", `Direction of light ${index + 1}`);
      handle.setAttribute("aria-valuenow", light.azimuth_deg.toFixed(0));
      handle.setAttribute(
        "aria-valuetext",
        `${Math.abs(light.azimuth_deg).toFixed(0)} degrees ${side},` +
          ` ${Math.abs(light.elevation_deg).toFixed(0)} degrees ${height}`,
      );
    });
  }

  focus(index: number): void {
    this.handles[index]?.focus();
  }

  /** Where a direction is shown. */
  private position([x, y, z]: Vector): [number, number] {
    const across = Math.hypot(x, y);
    const off = Math.atan2(across, z);
    const share = z >= 0 ? across : 1 + ((off - Math.PI / 2) / (Math.PI / 2)) * BEHIND;
    const scale = across > 1e-6 ? (share * this.place.radius) / across : 0;
    return [this.place.x + x * scale, this.place.y - y * scale];
  }

  /** Azimuth and elevation in degrees of a point of the picture. */
  private pointed(x: number, y: number): [number, number] {
    const { radius } = this.place;
    const [dx, dy] = [(x - this.place.x) / radius, (this.place.y - y) / radius];
    const share = Math.hypot(dx, dy);
    const beyond = Math.PI / 2 + (Math.min(share - 1, BEHIND) / BEHIND) * (Math.PI / 2);
    const off = share <= 1 ? Math.asin(share) : Math.min(beyond, FURTHEST * RADIAN);
    const scale = share > 1e-6 ? Math.sin(off) / share : 0;
    const [azimuth, elevation] = angles([dx * scale, dy * scale, Math.cos(off)]);
    return [azimuth / RADIAN, elevation / RADIAN];
  }

  private addHandle(): SVGGElement {
    const handle = document.createElementNS(SVG, "g");
    for (const [name, radius] of [
      ["touch", 24],
      ["glow", 15],
      ["dot", 8],
    ] as const) {
      const circle = document.createElementNS(SVG, "circle");
      circle.classList.add(name);
      circle.setAttribute("r", String(radius));
      handle.append(circle);
    }
    handle.classList.add("handle");
    handle.setAttribute("tabindex", "0");
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-valuemin", "-180");
    handle.setAttribute("aria-valuemax", "180");
    handle.addEventListener("pointerdown", (event) => this.drag(handle, event));
    handle.addEventListener("keydown", (event) => this.step(handle, event));
    handle.addEventListener("focus", () => this.listener.select(this.handles.indexOf(handle)));
    this.svg.append(handle);
    return handle;
  }

  private drag(handle: SVGGElement, start: PointerEvent): void {
    const index = this.handles.indexOf(handle);
    start.preventDefault();
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(start.pointerId);
    const dot = (handle.lastElementChild as Element).getBoundingClientRect();
    const box = this.svg.getBoundingClientRect();
    // The handle keeps its place under the finger.
    const left = box.left + start.clientX - (dot.left + dot.width / 2);
    const top = box.top + start.clientY - (dot.top + dot.height / 2);
    let isMoved = false;
    const move = (event: PointerEvent, done: boolean): void => {
      const [azimuth, elevation] = this.pointed(event.clientX - left, event.clientY - top);
      this.listener.move(index, azimuth, elevation, done);
    };
    const moved = (event: PointerEvent): void => {
      isMoved = true;
      move(event, false);
    };
    const ended = (event: PointerEvent): void => {
      handle.removeEventListener("pointermove", moved);
      handle.removeEventListener("pointerup", ended);
      handle.removeEventListener("pointercancel", ended);
      if (isMoved) move(event, true);
    };
    handle.addEventListener("pointermove", moved);
    handle.addEventListener("pointerup", ended);
    handle.addEventListener("pointercancel", ended);
  }

  private step(handle: SVGGElement, event: KeyboardEvent): void {
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
      true,
    );
  }
}
