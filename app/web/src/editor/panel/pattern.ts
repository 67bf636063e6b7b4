// SPDX-License-Identifier: Apache-2.0
/** The library's setups, each as a small picture of the user's own photo under it. */
import { PATTERNS } from "../../placement/recipe";
import type { Sample } from "../../worker/protocol";
import { block, made, replace } from "../element";
import { patternName, say } from "../text/message";

/** The automatic setup, beside the library's named ones. */
export const AUTOMATIC = "auto";

/** What the library is asked for. */
export function libraryName(pattern: string): string | null {
  return pattern === AUTOMATIC ? null : pattern;
}

/** The setups that can be had, the automatic one first. */
export function patternNames(): string[] {
  return [AUTOMATIC, ...Object.keys(PATTERNS)];
}

export interface PatternListener {
  choose(pattern: string): void;
  /** The light of another photo is wanted. */
  copy(): void;
}

export class Patterns {
  private readonly samples = new Map<string, Sample>();
  private readonly tiles: HTMLButtonElement[];
  private readonly copy: HTMLButtonElement;

  constructor(listener: PatternListener) {
    this.tiles = this.names.map((name) => {
      const tile = made("", () => listener.choose(name));
      tile.dataset.pattern = name;
      const picture = document.createElement("canvas");
      [picture.width, picture.height] = [1, 1];
      picture.setAttribute("aria-hidden", "true");
      tile.append(picture, document.createElement("span"));
      return tile;
    });
    this.copy = made("", () => listener.copy());
    this.copy.id = "like";
    this.copy.append(document.createElement("span"));
    replace(block("patterns"), [...this.tiles, this.copy]);
  }

  get names(): string[] {
    return patternNames();
  }

  /** The next setup that has no picture yet. */
  get missing(): string | undefined {
    return this.names.find((name) => !this.samples.has(name));
  }

  sample(name: string): Sample | undefined {
    return this.samples.get(name);
  }

  /** Another photo, or other faces. */
  forget(): void {
    this.samples.clear();
    this.tiles.forEach((tile) => tile.classList.add("waiting"));
  }

  learn(name: string, sample: Sample): void {
    this.samples.set(name, sample);
    const tile = this.tiles[this.names.indexOf(name)];
    tile.classList.remove("waiting");
    const canvas = tile.querySelector("canvas") as HTMLCanvasElement;
    const { columns, rows, data } = sample.picture;
    [canvas.width, canvas.height] = [columns, rows];
    canvas.getContext("2d")?.putImageData(new ImageData(data, columns, rows), 0, 0);
  }

  /** @param chosen the setup in use, or null for the user's own. */
  show(chosen: string | null): void {
    this.tiles.forEach((tile, k) => {
      const name = this.names[k];
      tile.setAttribute("aria-pressed", String(name === chosen));
      (tile.lastElementChild as HTMLElement).textContent = patternName(name);
    });
    (this.copy.lastElementChild as HTMLElement).textContent = say("like");
  }
}
