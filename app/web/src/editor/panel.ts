// SPDX-License-Identifier: Apache-2.0
/** The controls beside the picture, and what they say. */
import { light as constants, solution } from "../constants.json";
import { block, button, element, input } from "./element";
import { SPHERES } from "../environment";
import type { Choice, EditorLight } from "./history";
import { kelvin, warmColor } from "./temperature";
import type { Look } from "../worker/protocol";

/** What the user does with the controls. */
export interface PanelListener {
  /** @param done whether the change has ended. */
  change(part: Partial<EditorLight>, done: boolean): void;
  select(index: number): void;
  add(): void;
  remove(index: number): void;
  toggleFace(index: number): void;
}

export const MOST_LIGHTS = 4;
const SPHERE_NAMES = { diffuse: "white ball", matte_silver: "silver ball", mirror: "mirror ball" };

export class Panel {
  constructor(private readonly listener: PanelListener) {
    input("brightness").max = String(solution.STRONGEST_KEY);
    input("softness").max = String(constants.SOFTEST_DEG);
    this.slide("brightness", (intensity) => ({ intensity }));
    this.slide("softness", (softness_deg) => ({ softness_deg }));
    this.slide("warmth", (warmth) => ({ warmth, color: warmColor(warmth) }));
  }

  private slide(id: string, part: (value: number) => Partial<EditorLight>): void {
    const slider = input(id);
    slider.addEventListener("input", () => this.listener.change(part(slider.valueAsNumber), false));
    slider.addEventListener("change", () => this.listener.change(part(slider.valueAsNumber), true));
  }

  show({ lights, selected, faces }: Choice, faceCount: number): void {
    const light = lights[selected];
    set("brightness", light.intensity, light.intensity.toFixed(2));
    set("softness", light.softness_deg, `${light.softness_deg.toFixed(0)}°`);
    const temperature = `${(Math.round(kelvin(light.warmth) / 50) * 50).toFixed(0)} K`;
    set("warmth", light.warmth, light.warmth === 0 ? "white" : temperature);
    const chips = lights.map((_, index) => {
      const chip = made(`Light ${index + 1}`, () => this.listener.select(index));
      chip.setAttribute("aria-pressed", String(index === selected));
      return chip;
    });
    if (lights.length < MOST_LIGHTS) chips.push(made("+ Add light", () => this.listener.add()));
    if (lights.length > 1) {
      chips.push(made(`Remove light ${selected + 1}`, () => this.listener.remove(selected)));
    }
    replace(block("lights"), chips);
    const faceChips = Array.from({ length: faceCount }, (_, index) => {
      const chip = made(`Face ${index + 1}`, () => this.listener.toggleFace(index));
      chip.setAttribute("aria-pressed", String(faces.includes(index)));
      return chip;
    });
    replace(block("faces"), faceChips);
    block("faces").hidden = faceCount < 2;
  }

  explain(words: string): void {
    block("reason").textContent = words;
  }

  showSpheres({ spheres, keyToFill }: Look): void {
    const canvases = document.querySelectorAll<HTMLCanvasElement>("#spheres canvas");
    SPHERES.forEach((kind, k) => {
      canvases[k].getContext("2d")?.putImageData(spheres[kind], 0, 0);
      canvases[k].setAttribute("aria-label", `The light in the photo on a ${SPHERE_NAMES[kind]}`);
    });
    const caption = element("spheres", HTMLElement).querySelector("figcaption");
    if (caption) {
      caption.textContent =
        `The light already there, on a white, a silver and a mirror ball.` +
        ` Key-to-fill ${keyToFill.toFixed(1)}:1.`;
    }
  }

  /** What can be undone and redone. */
  showSteps(canUndo: boolean, canRedo: boolean): void {
    button("undo").disabled = !canUndo;
    button("redo").disabled = !canRedo;
  }
}

function set(id: string, value: number, words: string): void {
  const slider = input(id);
  slider.value = String(value);
  slider.setAttribute("aria-valuetext", words);
  const output = document.querySelector(`output[for="${id}"]`);
  if (output) output.textContent = words;
}

function made(words: string, click: () => void): HTMLButtonElement {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.textContent = words;
  chip.addEventListener("click", click);
  return chip;
}

/** Swap a group's buttons; the one in focus keeps its place. */
function replace(group: HTMLElement, chips: HTMLButtonElement[]): void {
  const at = [...group.children].indexOf(document.activeElement as Element);
  group.replaceChildren(...chips);
  chips[Math.min(at, chips.length - 1)]?.focus();
}
