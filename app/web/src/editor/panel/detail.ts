// SPDX-License-Identifier: Apache-2.0
/** Numbers for those who want them, and the light that was there, on three balls. */
import { SPHERES } from "../../environment";
import type { Reason } from "../../placement/wording";
import type { Look } from "../../worker/protocol";
import { block, element } from "../element";
import type { Choice } from "../history";
import { explain, say, type Key } from "../text/message";

export class Details {
  private look: Look | null = null;
  private choice: Choice | null = null;
  private ratio = 1;
  private reason: Reason = [];

  constructor() {
    block("details").addEventListener("toggle", () => this.draw());
  }

  /** What was found of the light that is there. */
  found(look: Look): void {
    this.look = look;
    const canvases = document.querySelectorAll<HTMLCanvasElement>("#spheres canvas");
    SPHERES.forEach((kind, k) => {
      canvases[k].getContext("2d")?.putImageData(look.spheres[kind], 0, 0);
    });
    this.draw();
  }

  /** @param ratio key-to-fill with these lights. */
  show(choice: Choice, ratio: number, reason: Reason): void {
    [this.choice, this.ratio, this.reason] = [choice, ratio, reason];
    this.draw();
  }

  /** Everything in words, in the language spoken now. */
  draw(): void {
    const { look, choice } = this;
    if (look === null || choice === null) return;
    const light = choice.lights[choice.selected];
    const rows: [Key, string][] = [];
    if (light !== undefined) {
      const [azimuth, elevation] = [light.azimuth_deg, light.elevation_deg].map((angle) =>
        Math.abs(angle).toFixed(0),
      );
      const side = say(light.azimuth_deg > 0 ? "angleRight" : "angleLeft");
      const height = say(light.elevation_deg >= 0 ? "angleUp" : "angleDown");
      rows.push(["direction", say("directionValue", { azimuth, side, elevation, height })]);
      rows.push(["intensity", light.intensity.toFixed(2)]);
      rows.push(["softness", say("softnessValue", { degrees: light.softness_deg.toFixed(0) })]);
    }
    rows.push(["ratioBefore", `${look.keyToFill.toFixed(1)}:1`]);
    rows.push(["ratioAfter", `${this.ratio.toFixed(1)}:1`]);
    const cells = rows.flatMap(([key, value]) =>
      (["dt", "dd"] as const).map((kind) => {
        const cell = document.createElement(kind);
        cell.textContent = kind === "dt" ? say(key) : value;
        return cell;
      }),
    );
    block("numbers").replaceChildren(...cells);
    block("reason").textContent = explain(this.reason);
    const caption = element("spheres", HTMLElement).querySelector("figcaption");
    if (caption) caption.textContent = say("spheres");
    document.querySelectorAll<HTMLCanvasElement>("#spheres canvas").forEach((canvas, k) => {
      canvas.setAttribute("aria-label", say(`sphere_${SPHERES[k]}`));
    });
  }
}
