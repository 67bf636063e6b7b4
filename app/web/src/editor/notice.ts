// SPDX-License-Identifier: Apache-2.0
/** What the page tells: work that goes on, what was done, what went wrong. */
import type { Progress } from "../models/download";
import { block, button } from "./element";
import { say } from "./text/message";

/** Milliseconds that a word on what was done stays. */
const STAYS = 6000;

/** What can be done about a photo that was not opened. */
export interface Ways {
  /** The server could convert it. */
  readonly convert?: () => void;
  readonly again?: () => void;
  readonly back?: { readonly name: string; readonly go: () => void };
  readonly other: () => void;
}

export class Notice {
  private readonly works: string[] = [];
  private progress: Progress | null = null;
  private fading = 0;

  constructor() {
    button("error-close").addEventListener("click", () => this.complain(""));
  }

  /** Say what goes on until a task ends. */
  async during<T>(words: string, task: () => Promise<T>): Promise<T> {
    this.works.push(words);
    this.draw();
    try {
      return await task();
    } finally {
      this.works.splice(this.works.indexOf(words), 1);
      this.draw();
    }
  }

  /** How far the models have come. */
  load(progress: Progress): void {
    this.progress = progress.loaded < progress.total ? progress : null;
    this.draw();
  }

  /** Say what was done, for a while. */
  tell(words: string): void {
    const status = block("status");
    status.textContent = words;
    status.classList.remove("faded");
    window.clearTimeout(this.fading);
    this.fading = window.setTimeout(() => status.classList.add("faded"), STAYS);
  }

  complain(words: string): void {
    (block("error").firstElementChild as HTMLElement).textContent = words;
    block("error").hidden = words === "";
  }

  /** A photo was not opened: say why, and what can be done. */
  fail(words: string, ways: Ways): void {
    block("failed-words").textContent = words;
    const offer = (id: string, action: (() => void) | undefined): void => {
      const made = button(id);
      made.hidden = action === undefined;
      made.onclick = (): void => {
        this.settle();
        action?.();
      };
    };
    offer("failed-send", ways.convert);
    offer("failed-again", ways.again);
    offer("failed-other", ways.other);
    offer("failed-back", ways.back?.go);
    if (ways.back) button("failed-back").textContent = say("backTo", { name: ways.back.name });
    block("failed").hidden = false;
    (block("failed").querySelector("button:not([hidden])") as HTMLElement).focus();
  }

  /** Nothing failed any more. */
  settle(): void {
    block("failed").hidden = true;
    this.complain("");
  }

  private draw(): void {
    const { progress, works } = this;
    const isLoading = progress !== null && works.length > 0;
    const words = isLoading
      ? say("loading", {
          loaded: (progress.loaded / 1e6).toFixed(1),
          total: (progress.total / 1e6).toFixed(1),
        })
      : (works[works.length - 1] ?? "");
    block("busy").hidden = words === "";
    (block("busy").lastElementChild as HTMLElement).textContent = words;
    document.body.dataset.busy = works.length > 0 ? "1" : "";
  }
}
