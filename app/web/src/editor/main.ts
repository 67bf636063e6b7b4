// SPDX-License-Identifier: Apache-2.0
/** The editor: a photo, lights on handles, and the picture they make. */
import "./style/base.css";
import "./style/stage.css";
import "./style/panel.css";
import { FULL_FILL } from "../setup";
import { Trouble } from "../trouble";
import type { Measured } from "../worker/protocol";
import { Latest, Runtime } from "../worker/runtime";
import { choiceOf, Desk, type Paper } from "./desk";
import { block, button, input } from "./element";
import { History } from "./history";
import { Live } from "../live/live";
import { Notice } from "./notice";
import { Details } from "./panel/detail";
import { Panel } from "./panel/panel";
import { AUTOMATIC, Patterns } from "./panel/pattern";
import { Stage } from "./photo/stage";
import { BatchSheet } from "./sheet/batch";
import { listenToCamera } from "./sheet/camera";
import { convert, canConvert } from "./sheet/convert";
import { SaveSheet } from "./sheet/save";
import { listen, type Source } from "./sheet/source";
import { keepModels, keepPage, openShell } from "./shell";
import { say, sentence } from "./text/message";

/** Megapixels from which work at full size takes long enough to say so. */
const LARGE = 30;
/** Milliseconds after which a failed download is tried again, if the network is not back before. */
const PATIENCE = 5000;
const ZOOM = 1.5;

openShell(() => {
  desk.show();
  details.draw();
});
const notice = new Notice();
const runtime = new Runtime((progress) => notice.load(progress));
const complain = (error: unknown): void => notice.complain(sentence(error));

const stage = new Stage({
  take: (index) => desk.take(index),
  move: (azimuth, elevation) => desk.move(azimuth, elevation),
  drop: (isKept) => desk.drop(isKept),
  step: (index, azimuth, elevation) => desk.turn(index, azimuth, elevation),
  select: (index) => desk.select(index),
  toggleFace: (index) => toggleFace(index),
  fetchDetail: (part) => runtime.call("detail", part),
  zoomed: (percent) => (button("zoom-full").textContent = `${percent} %`),
});
const panel = new Panel({
  change: (part, done) => {
    if (desk.choice) desk.changeLight(desk.choice.selected, part, done);
  },
  fill: (share, done) => desk.fill(share, done),
  select: (index) => {
    desk.select(index);
    stage.ball.focus(index);
  },
  add: () => desk.add(),
  remove: (index) => desk.remove(index),
  toggleFace: (index) => toggleFace(index),
});
const patterns = new Patterns({
  choose: (pattern) => void desk.choose(pattern),
  copy: () => input("reference").click(),
});
const details = new Details();
const desk: Desk = new Desk(runtime, { stage, panel, patterns, details }, complain);

function toggleFace(index: number): void {
  if (!desk.toggleFace(index)) notice.tell(say("lastFace"));
}

// === Opening ===

/** Opens one photo after the other; of several given meanwhile, the last. */
const opener = new Latest<Source & { history?: History }>((source) => open(source));

async function open(source: Source & { history?: History }): Promise<void> {
  const start = performance.now();
  const before = desk.paper;
  notice.settle();
  notice.tell("");
  button("save").disabled = true;
  try {
    const opened = await notice.during(say("opening"), () => runtime.call("open", source.file));
    desk.clear();
    stage.show(opened);
    reveal(true);
    const paper = await notice.during(say("looking"), async (): Promise<Paper> => {
      const faces = await patiently(() => runtime.call("find", null));
      const all = faces.map((_, index) => index);
      const look = await runtime.call("look", all);
      const automatic = choiceOf(look.setup, all, AUTOMATIC);
      const { file, name, setup } = source;
      const first = setup === undefined ? automatic : choiceOf(setup, all, null);
      const history = source.history ?? new History(first);
      return { file, name, opened, faces, look, automatic, history, saved: null };
    });
    block("panel").hidden = block("bar").hidden = false;
    await notice.during(say("looking"), () => desk.put(paper));
    button("save").disabled = false;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const megapixels = Math.round((opened.rows * opened.columns) / 1e6);
    const count = paper.faces.length;
    const faces = count === 1 ? say("oneFace") : say("manyFaces", { count });
    const large = megapixels > LARGE ? ` ${say("large", { megapixels })}` : "";
    notice.tell(say("relit", { faces, seconds }) + large);
  } catch (error) {
    fail(source, error, before);
  }
}

/** Do what needs the models; where they cannot be had, wait for the network and try again. */
async function patiently<T>(task: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const result = await task();
      notice.complain("");
      return result;
    } catch (error) {
      if (!(error instanceof Trouble && error.kind === "download")) throw error;
      complain(error);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, PATIENCE);
        window.addEventListener("online", () => resolve(), { once: true });
      });
    }
  }
}

/** Say why a photo was not opened, and what can be done; the one before can be had back. */
function fail(source: Source, error: unknown, before: Paper | null): void {
  const kind = error instanceof Trouble ? error.kind : "worker";
  const isSent = kind === "unreadable" && canConvert();
  const name = String((error as Trouble).values?.kind ?? "");
  const words = isSent ? say("offered", { kind: name, host: location.host }) : sentence(error);
  block("panel").hidden = block("bar").hidden = true;
  notice.fail(words, {
    other: () => input("file").click(),
    convert: isSent ? (): void => void sendAway(source, before) : undefined,
    back: before === null ? undefined : { name: before.name, go: () => goBack(before) },
  });
}

/** The photo before, as it was left. */
function goBack(paper: Paper): void {
  opener.give({ file: paper.file, name: paper.name, history: paper.history });
}

async function sendAway(source: Source, before: Paper | null): Promise<void> {
  try {
    const file = await notice.during(say("converting"), () => convert(source.file));
    opener.give({ file, name: source.name });
  } catch (error) {
    fail(source, error, before);
  }
}

/** Show the photo in place of the welcome. */
function reveal(isOpen: boolean): void {
  block("welcome").hidden = isOpen;
  block("picture").hidden = block("zoom").hidden = !isOpen;
  document.body.classList.toggle("open", isOpen);
}

const sources = {
  take: (source: Source): void => opener.give(source),
  takeSeveral: (files: readonly File[]): void => batch.show(files),
  complain: (words: string): void => notice.complain(words),
};
listen(sources);
listenToCamera(sources);
const live = new Live({
  runtime,
  spare: async () => {
    const worker = new Runtime((progress) => notice.load(progress));
    await patiently(() => worker.call("warm", null));
    return worker;
  },
  take: sources.take,
  tell: (words) => notice.tell(words),
  complain,
});

input("reference").addEventListener("change", () => {
  const [file] = input("reference").files ?? [];
  input("reference").value = "";
  if (file === undefined) return;
  notice
    .during(say("copying"), () => desk.copy(file))
    .then(() => notice.tell(say("copied")), complain);
});

// === Export ===

const saver = new SaveSheet({
  make: (output) => notice.during(say("saving"), () => desk.save(output)),
  done: (words) => notice.tell(words),
  failed: complain,
});
const batch = new BatchSheet({
  patterns: patterns.names,
  current: () => desk.recipe(),
  relight: (file, recipe) => patiently(() => runtime.call("relit", { file, recipe, output: {} })),
  done: (words) => notice.tell(words),
});

function save(): void {
  if (desk.paper !== null && !button("save").disabled) saver.show(desk.paper.opened, desk.paper.name);
}

// === Tools ===

button("save").addEventListener("click", save);
button("undo").addEventListener("click", () => desk.step((history) => history.undo()));
button("redo").addEventListener("click", () => desk.step((history) => history.redo()));
button("reset").addEventListener("click", () => desk.reset());
button("split").addEventListener("click", divide);
button("zoom-in").addEventListener("click", () => stage.zoom(ZOOM));
button("zoom-out").addEventListener("click", () => stage.zoom(1 / ZOOM));
button("zoom-full").addEventListener("click", () => stage.full());
button("zoom-fit").addEventListener("click", () => stage.fit());

function divide(): void {
  stage.divide(!stage.isDivided);
  button("split").setAttribute("aria-pressed", String(stage.isDivided));
}

function hold(isOn: boolean): void {
  if ((button("before").getAttribute("aria-pressed") === "true") === isOn) return;
  button("before").setAttribute("aria-pressed", String(isOn));
  stage.compare(isOn);
}

button("before").addEventListener("pointerdown", ({ button: which }) => {
  if (which === 0) hold(true);
});
// Wherever the finger is lifted, and if the page is left meanwhile: nothing sticks.
for (const kind of ["pointerup", "pointercancel", "blur"]) {
  window.addEventListener(kind, () => hold(false));
}
document.addEventListener("visibilitychange", () => hold(false));
button("before").addEventListener("contextmenu", (event) => event.preventDefault());

const isHolding = (event: KeyboardEvent): boolean =>
  event.key.toLowerCase() === "b" ||
  (event.target === button("before") && [" ", "Enter"].includes(event.key));

document.addEventListener("keydown", (event) => {
  const typed = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    const commands: Record<string, () => void> = {
      z: () => desk.step((history) => (event.shiftKey ? history.redo() : history.undo())),
      y: () => desk.step((history) => history.redo()),
      s: save,
      o: () => input("file").click(),
    };
    if (commands[typed] === undefined) return;
    event.preventDefault();
    commands[typed]();
    return;
  }
  if (document.querySelector("dialog[open]") || desk.paper === null) return;
  if (isHolding(event)) hold(true);
  const target = event.target as HTMLElement;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  const keys: Record<string, () => void> = {
    s: divide,
    "+": () => stage.zoom(ZOOM),
    "=": () => stage.zoom(ZOOM),
    "-": () => stage.zoom(1 / ZOOM),
    "0": () => stage.fit(),
    "1": () => stage.full(),
  };
  keys[typed]?.();
});
document.addEventListener("keyup", (event) => {
  if (isHolding(event)) hold(false);
});
window.addEventListener("beforeunload", (event) => {
  if (desk.isUnsaved || live.isRecording) event.preventDefault();
});

/** Milliseconds, the best of several rounds, of Face Mesh and of a drag, in this browser. */
async function measure(): Promise<Measured & { composition: number }> {
  if (desk.choice === null) throw new Error("open a photo first");
  const [light] = desk.choice.lights;
  const measured = await runtime.call("measure", light);
  const setup = { lights: [light], fill: FULL_FILL, reason: [] };
  const gain = await runtime.call("gain", { faces: [0], setup, isQuick: true });
  let composition = Infinity;
  for (let round = 0; round < 5; round++) {
    const data = gain.data.slice(); // what is drawn is handed over
    const start = performance.now();
    stage.light({ ...gain, data });
    await stage.finished();
    composition = Math.min(composition, performance.now() - start);
  }
  return { ...measured, composition };
}
Object.assign(window, { measureRelight: measure });

async function warm(): Promise<void> {
  const page = keepPage();
  await patiently(() => runtime.call("warm", null));
  document.body.dataset.warm = "1";
  await page;
  await keepModels();
}
warm().catch((error: unknown) => {
  if (error instanceof Trouble) complain(error);
  else notice.tell(say("notKept"));
});
