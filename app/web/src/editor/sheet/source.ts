// SPDX-License-Identifier: Apache-2.0
/** Where photos come from: picked, dropped, pasted, handed over by the system, or a sample. */
import type { Setup } from "../../setup";
import { block, button, input } from "../element";
import { say } from "../text/message";

/** A photo's file and what it is called. */
export interface Source {
  readonly file: Blob;
  readonly name: string;
  /** The light that it was taken with; without it the automatic one. */
  readonly setup?: Setup;
}

export interface SourceListener {
  take(source: Source): void;
  /** Several photos were given at once. */
  takeSeveral(files: readonly File[]): void;
  complain(words: string): void;
}

/** Faces, soft light: where an added light shows well. CC0, see docs/web.md. */
const SAMPLES = ["one", "two", "three", "four"];

/** As in service.js. */
const SHARED = "portrait-relight-shared";

interface LaunchQueue {
  setConsumer(consume: (launch: { files: readonly FileSystemFileHandle[] }) => void): void;
}

/** Listen for photos. */
export function listen(listener: SourceListener): void {
  const picker = input("file");
  for (const id of ["open", "pick"]) button(id).addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = ""; // so that the same file can be picked again
    if (files.length > 0) give(files, listener);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData) offer(clipboardData, "pasted.png", listener);
  });
  const stage = block("stage");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("dropping");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) stage.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("dropping");
    if (event.dataTransfer) offer(event.dataTransfer, "dropped.png", listener);
  });
  const { launchQueue } = window as { launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(({ files }) => {
    void Promise.all(files.map((file) => file.getFile())).then((all) => {
      if (all.length > 0) give(all, listener);
    });
  });
  showSamples(listener);
  if (location.search === "?shared") void takeShared(listener);
}

/** Photos that another app shares wait where the service worker has put them. */
async function takeShared(listener: SourceListener): Promise<void> {
  history.replaceState(null, "", "./");
  const cache = await caches.open(SHARED);
  const answers = await cache.matchAll();
  await caches.delete(SHARED);
  const files = answers.map(async (answer) => {
    const photo = await answer.blob();
    const name = decodeURIComponent(answer.headers.get("x-name") ?? "") || "shared.jpg";
    return new File([photo], name, { type: photo.type });
  });
  if (files.length > 0) give(await Promise.all(files), listener);
}

function give(files: readonly File[], { take, takeSeveral }: SourceListener): void {
  if (files.length > 1) takeSeveral(files);
  else take({ file: files[0], name: files[0].name });
}

function offer(data: DataTransfer, fallback: string, listener: SourceListener): void {
  const files = [...data.files];
  if (files.length > 1) listener.takeSeveral(files);
  else if (files.length === 1) listener.take({ file: files[0], name: files[0].name || fallback });
  else if (!data.types.includes("text/plain")) listener.complain(say("noDrop"));
}

function showSamples({ take, complain }: SourceListener): void {
  const buttons = SAMPLES.map((name, k) => {
    const sample = document.createElement("button");
    sample.type = "button";
    const picture = document.createElement("img");
    picture.src = `./samples/${name}-small.jpg`;
    [picture.width, picture.height, picture.alt] = [96, 96, say("sample", { number: k + 1 })];
    sample.append(picture);
    sample.addEventListener("click", async () => {
      try {
        const answer = await fetch(`./samples/${name}.jpg`);
        if (!answer.ok) throw new Error(String(answer.status));
        take({ file: await answer.blob(), name: `${name}.jpg` });
      } catch {
        complain(say("trouble_download", { file: `${name}.jpg` }));
      }
    });
    return sample;
  });
  block("samples").replaceChildren(...buttons);
}
