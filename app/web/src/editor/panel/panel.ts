// SPDX-License-Identifier: Apache-2.0
/** The controls beside the picture. */
import { light as constants, solution } from "../../constants.json";
import { block, button, input, made, replace } from "../element";
import type { Choice, EditorLight } from "../history";
import { say } from "../text/message";
import { kelvin, warmColor } from "./temperature";
import { inWords } from "./words";

/** What the user does with the controls; `done` says whether the change has ended. */
export interface PanelListener {
  change(part: Partial<EditorLight>, done: boolean): void;
  fill(share: number, done: boolean): void;
  select(index: number): void;
  add(): void;
  remove(index: number): void;
  toggleFace(index: number): void;
}

export const MOST_LIGHTS = 4;

export class Panel {
  constructor(private readonly listener: PanelListener) {
    input("brightness").max = String(solution.STRONGEST_KEY);
    input("softness").max = String(constants.SOFTEST_DEG);
    this.slide("brightness", (intensity, done) => listener.change({ intensity }, done));
    this.slide("fill", (share, done) => listener.fill(share, done));
    this.slide("softness", (softness_deg, done) => listener.change({ softness_deg }, done));
    this.slide("warmth", (warmth, done) =>
      listener.change({ warmth, color: warmColor(warmth) }, done),
    );
    this.slide("gloss", (gloss, done) => listener.change({ gloss }, done));
    for (const tab of block("tabs").querySelectorAll("button")) {
      tab.addEventListener("click", () => this.open(tab.dataset.tab ?? ""));
    }
  }

  private slide(id: string, change: (value: number, done: boolean) => void): void {
    const slider = input(id);
    slider.addEventListener("input", () => change(slider.valueAsNumber, false));
    slider.addEventListener("change", () => change(slider.valueAsNumber, true));
  }

  /** Show one of the panel's parts, where there is no room for all. */
  private open(tab: string): void {
    block("panel").dataset.tab = tab;
    (block("details") as HTMLDetailsElement).open = tab === "details";
    for (const one of block("tabs").querySelectorAll("button")) {
      one.setAttribute("aria-pressed", String(one.dataset.tab === tab));
    }
  }

  show(choice: Choice, faceCount: number): void {
    const { lights, selected, fill, faces } = choice;
    const light = lights[selected];
    for (const id of ["brightness", "softness", "warmth", "gloss"]) {
      input(id).disabled = light === undefined;
    }
    slid("fill", fill, `${(fill * 100).toFixed(0)} %`);
    if (light !== undefined) {
      slid("brightness", light.intensity, `${(light.intensity * 100).toFixed(0)} %`);
      slid("softness", light.softness_deg, `${light.softness_deg.toFixed(0)}°`);
      const temperature = `${(Math.round(kelvin(light.warmth) / 50) * 50).toFixed(0)} K`;
      slid("warmth", light.warmth, light.warmth === 0 ? say("white") : temperature);
      slid("gloss", light.gloss, `${(light.gloss * 100).toFixed(0)} %`);
    }
    const chips = lights.map((_, index) => {
      const chip = made(say("lightNumber", { number: index + 1 }), () =>
        this.listener.select(index),
      );
      chip.setAttribute("aria-pressed", String(index === selected));
      return chip;
    });
    if (lights.length < MOST_LIGHTS) chips.push(made(say("addLight"), () => this.listener.add()));
    if (lights.length > 1) {
      const words = say("removeLight", { number: selected + 1 });
      chips.push(made(words, () => this.listener.remove(selected)));
    }
    replace(block("lights"), chips);
    const faceChips = Array.from({ length: faceCount }, (_, index) => {
      const chip = made(say("face", { number: index + 1 }), () => this.listener.toggleFace(index));
      chip.setAttribute("aria-pressed", String(faces.includes(index)));
      return chip;
    });
    replace(block("faces"), faceChips);
    block("faces").hidden = faceCount < 2;
    block("summary").textContent = inWords(choice);
  }

  /** What can be undone, redone and reset. */
  showSteps(canUndo: boolean, canRedo: boolean, canReset: boolean): void {
    button("undo").disabled = !canUndo;
    button("redo").disabled = !canRedo;
    button("reset").disabled = !canReset;
  }
}

/** Put a slider where a value is, and the value in words beside it. */
export function slid(id: string, value: number, words: string): void {
  const slider = input(id);
  slider.value = String(value);
  slider.setAttribute("aria-valuetext", words);
  const share = (value - Number(slider.min)) / (Number(slider.max) - Number(slider.min));
  slider.style.setProperty("--share", `${(share * 100).toFixed(1)}%`);
  const output = document.querySelector(`output[for="${id}"]`);
  if (output) output.textContent = words;
}
