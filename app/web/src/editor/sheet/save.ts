// SPDX-License-Identifier: Apache-2.0
/** The sheet for exporting: format, quality, size, what is kept; saving and sharing. */
import type { Output, Writable } from "../../photo/file";
import type { Opened } from "../../worker/protocol";
import { block, button, dialog, download, input, select } from "../element";
import { say } from "../text/message";

const EXTENSIONS: Record<Writable, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};
/** Longer sides that are offered beside the photo's own. */
const SIDES = [4096, 2048, 1080];

/** What a relit photo is called. */
export function relitName(name: string, type: string): string {
  const extension = EXTENSIONS[type as Writable] ?? "png";
  return `${name.replace(/\.[^.]*$/, "")}.relit.${extension}`;
}

export interface SaveListener {
  /** The relit photo as a file. */
  make(output: Output): Promise<Blob>;
  /** What was done with it, in a sentence. */
  done(words: string): void;
  failed(error: unknown): void;
}

export class SaveSheet {
  private readonly sheet = dialog("output");
  private opened: Opened | null = null;
  private name = "";
  private isBusy = false;

  constructor(private readonly listener: SaveListener) {
    for (const id of ["format", "quality", "exif"]) {
      block(id).addEventListener("input", () => this.explain());
    }
    button("download").addEventListener("click", () => void this.save(false));
    button("share").addEventListener("click", () => void this.save(true));
    this.sheet.addEventListener("close", () => document.body.classList.remove("exporting"));
  }

  show(opened: Opened, name: string): void {
    if (this.sheet.open) return;
    if (opened !== this.opened) select("format").value = opened.type;
    [this.opened, this.name] = [opened, name];
    const { columns, rows } = opened;
    const longer = Math.max(columns, rows);
    const sizes = SIDES.filter((side) => side < longer).map((side) => {
      const [wide, high] = [columns, rows].map((size) => Math.round((size * side) / longer));
      return new Option(say("smallerSize", { columns: wide, rows: high }), String(side));
    });
    const full = new Option(say("fullSize", { columns, rows }), "");
    const chosen = select("side").value;
    select("side").replaceChildren(full, ...sizes);
    select("side").value = sizes.some(({ value }) => value === chosen) ? chosen : "";
    this.explain();
    this.sheet.showModal();
  }

  private get output(): Output {
    const side = Number(select("side").value);
    return {
      type: select("format").value as Writable,
      quality: input("quality").valueAsNumber / 100,
      keepsExif: input("exif").checked,
      ...(side > 0 ? { side } : {}),
    };
  }

  /** Say what is kept of the photo, and what is not. */
  private explain(): void {
    const { opened, output } = this;
    if (opened === null) return;
    const isJpeg = output.type === "image/jpeg";
    block("quality-row").hidden = output.type === "image/png";
    (document.querySelector('output[for="quality"]') as HTMLElement).textContent =
      input("quality").value;
    const canKeep = opened.hasExif && isJpeg;
    (input("exif").closest("label") as HTMLElement).hidden = !canKeep;
    const words = [
      say(canKeep ? (output.keepsExif ? "keptExif" : "lostExif") : opened.hasExif ? "lostExif" : "noExif"),
      say("keptColour"),
      say("lostHidden"),
    ];
    if (opened.bits > 8) words.push(say("lostDepth", { bits: opened.bits }));
    if (opened.isGrey) words.push(say("lostGrey"));
    block("kept").replaceChildren(
      ...words.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
      }),
    );
    const probe = new File([], `x.${EXTENSIONS[output.type]}`, { type: output.type });
    button("share").hidden = !(navigator.canShare?.({ files: [probe] }) ?? false);
  }

  /** Save or share, once, however often the button is pressed. */
  private async save(isShared: boolean): Promise<void> {
    if (this.isBusy || !this.sheet.open) return;
    this.isBusy = true;
    button("download").disabled = button("share").disabled = true;
    try {
      const file = await this.listener.make(this.output);
      const name = relitName(this.name, file.type);
      if (isShared) {
        await navigator.share({ files: [new File([file], name, { type: file.type })] });
        this.listener.done(say("shared"));
      } else {
        download(file, name);
        this.listener.done(say("saved", { name }));
      }
      this.sheet.close();
    } catch (error) {
      if ((error as Error).name !== "AbortError") {
        this.sheet.close();
        this.listener.failed(error);
      }
    } finally {
      this.isBusy = false;
      button("download").disabled = button("share").disabled = false;
    }
  }
}
