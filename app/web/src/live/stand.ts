// SPDX-License-Identifier: Apache-2.0
/** The lights of the live picture, and the controls that move them. */
import { light as constants, solution } from "../constants.json";
import { Ball, type Place } from "../editor/photo/ball";
import { Gestures } from "../editor/photo/gesture";
import { choiceOf } from "../editor/desk";
import { block, element, input, select } from "../editor/element";
import type { Choice, EditorLight } from "../editor/history";
import { slid } from "../editor/panel/panel";
import { AUTOMATIC, libraryName, patternNames } from "../editor/panel/pattern";
import { kelvin, warmColor } from "../editor/panel/temperature";
import { patternName, say } from "../editor/text/message";
import type { Setup } from "../setup";
import type { ShownFace } from "../worker/protocol";

/** The user's own light, in the list of setups. */
const OWN = "own";

/** Part of its size that a face moves by before the lights around it move along: drawing them takes time. */
const LOOSE = 0.03;

/** A picture's size and whether it is shown as a mirror shows it. */
export interface Showing {
  readonly columns: number;
  readonly rows: number;
  readonly isMirror: boolean;
}

export class Stand {
  private readonly room: HTMLElement;
  private readonly suns = block("live-suns");
  private readonly ball: Ball;
  private choice: Choice | null = null;
  private isDragging = false;
  private isMirror = false;
  /** The face that the ball lies over. */
  private near: Place = { left: 0, top: 0, width: 0, height: 0 };
  /** What is still to be asked for, by the library's name; null for the automatic setup. */
  wanted: string | null | undefined = null;

  constructor() {
    this.room = this.suns.parentElement as HTMLElement;
    this.ball = new Ball(element("live-rim", SVGSVGElement), this.suns, {
      select: (index) => this.select(index),
      move: (index, azimuth, elevation) => this.turn(index, azimuth, elevation),
    });
    new Gestures(this.room, {
      begin: (x, y) => {
        if (this.choice === null) return;
        const lights = this.shown(this.choice.lights);
        const taken = this.ball.at(x, y, lights) ?? this.choice.selected;
        this.isDragging = true;
        this.ball.take(taken, lights[taken]);
        this.select(taken);
      },
      move: (dx, dy) => {
        if (this.isDragging && this.choice) this.turn(this.choice.selected, ...this.ball.dragged(dx, dy));
      },
      end: () => {
        this.isDragging = false;
        this.ball.release();
      },
      tap: (x, y) => {
        const index = this.choice && this.ball.at(x, y, this.shown(this.choice.lights));
        if (index !== null) this.select(index);
        return true;
      },
      zoom: () => {},
      pan: () => {},
      toggleZoom: () => {},
    });
    input("live-brightness").max = String(solution.STRONGEST_KEY);
    input("live-softness").max = String(constants.SOFTEST_DEG);
    this.slide("brightness", (intensity) => this.change({ intensity }));
    this.slide("softness", (softness_deg) => this.change({ softness_deg }));
    this.slide("warmth", (warmth) => this.change({ warmth, color: warmColor(warmth) }));
    this.slide("fill", (fill) => {
      if (this.choice) this.show({ ...this.choice, fill, pattern: null });
    });
    select("live-setup").addEventListener("change", ({ target }) => {
      const { value } = target as HTMLSelectElement;
      if (value !== OWN) this.wanted = libraryName(value);
    });
  }

  /** A take begins: nothing is known of its light. */
  begin(): void {
    this.choice = null;
    this.wanted = null;
    this.room.classList.remove("ready");
    const options = [...patternNames(), OWN].map(
      (name) => new Option(name === OWN ? say("current") : patternName(name), name),
    );
    select("live-setup").replaceChildren(...options);
    select("live-setup").value = AUTOMATIC;
  }

  get setup(): Setup | null {
    if (this.choice === null) return null;
    const { lights, fill, shares } = this.choice;
    return { lights, fill, shares, reason: [] };
  }

  /** A setup that was asked for. */
  use(setup: Setup, pattern: string | null): void {
    if (pattern !== this.wanted || this.isDragging) return; // meanwhile it is another one
    this.wanted = undefined;
    this.show(choiceOf(setup, [], pattern ?? AUTOMATIC));
  }

  /** The faces have moved. */
  follow([face]: readonly ShownFace[], { columns, rows, isMirror }: Showing): void {
    this.room.classList.toggle("ready", face !== undefined && this.choice !== null);
    if (face === undefined || this.isDragging) return;
    const { clientWidth: width, clientHeight: height } = this.room;
    const scale = Math.min(width / columns, height / rows);
    const [wide, high] = [columns * scale, rows * scale];
    const left = isMirror ? 1 - face.left - face.width : face.left;
    const place = {
      left: (width - wide) / 2 + left * wide,
      top: (height - high) / 2 + face.top * high,
      width: face.width * wide,
      height: face.height * high,
    };
    const { near } = this;
    const far = Math.hypot(place.left - near.left, place.top - near.top);
    if (far + Math.abs(place.width - near.width) < LOOSE * place.width) return;
    this.near = place;
    this.isMirror = isMirror;
    this.ball.over(place, width, height);
    if (this.choice) this.ball.show(this.shown(this.choice.lights), this.choice.selected);
  }

  private slide(name: string, change: (value: number) => void): void {
    const slider = input(`live-${name}`);
    slider.addEventListener("input", () => change(slider.valueAsNumber));
  }

  /** Lights as the user sees them, who may look into a mirror. */
  private shown(lights: readonly EditorLight[]): readonly EditorLight[] {
    if (!this.isMirror) return lights;
    return lights.map((light) => ({ ...light, azimuth_deg: -light.azimuth_deg }));
  }

  private select(index: number): void {
    if (this.choice) this.show({ ...this.choice, selected: index });
  }

  private turn(index: number, azimuth: number, elevation_deg: number): void {
    this.select(index);
    this.change({ azimuth_deg: this.isMirror ? -azimuth : azimuth, elevation_deg });
  }

  private change(part: Partial<EditorLight>): void {
    if (this.choice === null) return;
    const { lights, selected } = this.choice;
    const changed = lights.map((light, k) => (k === selected ? { ...light, ...part } : light));
    this.show({ ...this.choice, lights: changed, pattern: null });
  }

  private show(choice: Choice): void {
    this.choice = choice;
    const { lights, selected, fill, pattern } = choice;
    const { intensity, softness_deg, warmth } = lights[selected];
    const temperature = `${(Math.round(kelvin(warmth) / 50) * 50).toFixed(0)} K`;
    slid("live-brightness", intensity, `${(intensity * 100).toFixed(0)} %`);
    slid("live-fill", fill, `${(fill * 100).toFixed(0)} %`);
    slid("live-softness", softness_deg, `${softness_deg.toFixed(0)}°`);
    slid("live-warmth", warmth, warmth === 0 ? say("white") : temperature);
    if (pattern === null) this.wanted = undefined;
    select("live-setup").value = pattern ?? OWN;
    this.ball.show(this.shown(lights), selected);
  }
}
