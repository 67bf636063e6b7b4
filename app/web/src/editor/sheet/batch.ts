// SPDX-License-Identifier: Apache-2.0
/** Several photos in a row with one setup, as one zip. */
import type { Recipe } from "../../worker/protocol";
import { block, button, dialog, download, input, select } from "../element";
import { libraryName } from "../panel/pattern";
import { patternName, say, sentence } from "../text/message";
import { relitName } from "./save";
import { Zip } from "./zip";

export interface BatchListener {
  /** The library's setups. */
  readonly patterns: readonly string[];
  /** The user's own setup, if a photo is open. */
  current(): Recipe | null;
  relight(file: Blob, recipe: Recipe): Promise<Blob>;
  done(words: string): void;
}

const OWN = "own";

export class BatchSheet {
  private readonly sheet = dialog("batch");
  private files: readonly File[] = [];
  private isRunning = false;

  constructor(private readonly listener: BatchListener) {
    const picker = input("batch-file");
    button("several").addEventListener("click", () => {
      dialog("menu").close();
      this.show([]);
    });
    button("batch-pick").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      this.files = [...(picker.files ?? [])];
      picker.value = "";
      this.list();
    });
    button("batch-start").addEventListener("click", () => void this.run());
    this.sheet.addEventListener("close", () => (this.isRunning = false));
  }

  show(files: readonly File[]): void {
    this.files = files;
    const patterns = this.listener.patterns.map((name) => new Option(patternName(name), name));
    const own = this.listener.current() === null ? [] : [new Option(say("current"), OWN)];
    select("batch-setup").replaceChildren(...own, ...patterns);
    this.list();
    this.sheet.showModal();
  }

  private list(): void {
    const count = this.files.length;
    block("batch-words").textContent =
      say("severalWords") + (count > 0 ? ` ${say("counted", { count })}.` : "");
    button("batch-start").disabled = count === 0;
    const items = this.files.map(({ name }) => {
      const item = document.createElement("li");
      const [title, state] = [document.createElement("span"), document.createElement("span")];
      title.textContent = name;
      state.textContent = say("waiting");
      state.className = "quiet";
      item.append(title, state);
      return item;
    });
    block("batch-list").replaceChildren(...items);
  }

  private recipe(): Recipe {
    const chosen = select("batch-setup").value;
    const current = this.listener.current();
    if (chosen === OWN && current !== null) return current;
    return { pattern: libraryName(chosen), setup: null };
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    const recipe = this.recipe();
    const zip = new Zip();
    let count = 0;
    button("batch-start").disabled = button("batch-pick").disabled = true;
    const states = [...block("batch-list").children].map((item) => item.lastElementChild);
    for (const [k, file] of this.files.entries()) {
      const state = states[k] as HTMLElement;
      state.textContent = say("working");
      state.scrollIntoView({ block: "nearest" });
      try {
        const relit = await this.listener.relight(file, recipe);
        await zip.add(relitName(file.name, relit.type), relit);
        state.textContent = say("done");
        count += 1;
      } catch (error) {
        state.textContent = sentence(error);
        state.classList.add("warning");
      }
      if (!this.isRunning) break; // the sheet was closed
    }
    button("batch-start").disabled = button("batch-pick").disabled = false;
    if (count > 0 && this.isRunning) {
      download(zip.finish(), "relit.zip");
      this.listener.done(say("batchDone", { count, total: this.files.length, name: "relit.zip" }));
      if (count === this.files.length) this.sheet.close();
    }
    this.isRunning = false;
  }
}
