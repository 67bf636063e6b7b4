// SPDX-License-Identifier: Apache-2.0
/** The editor: a photo, lights on handles, and the picture they make. */
import "./style.css";
import { Ball } from "./ball";
import { createCompositor } from "./compositor";
import { block, button, element, input } from "./element";
import { History, type Choice, type EditorLight } from "./history";
import { Panel } from "./panel";
import { FULL_FILL } from "../setup";
import type { Asked, Gain, Look, Measured, Opened } from "../worker/protocol";
import { Latest, Runtime } from "../worker/runtime";
import { listen } from "./source";

const EXTENSIONS: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};
/** Megapixels from which work at full size takes long enough to say so. */
const LARGE = 30;

/** Everything known of the photo that is open. */
interface Document {
  readonly name: string;
  readonly opened: Opened;
  /** What was placed automatically; Reset returns to it. */
  automatic: Choice;
  look: Look;
  readonly history: History;
}

const runtime = new Runtime();
const canvas = element("picture", HTMLCanvasElement);
const compositor = createCompositor(canvas);
let current: Document | null = null;
let holding = false;
let isOpening = false;

const status = (words: string): void => {
  block("status").textContent = words;
};

function complain(words: string): void {
  block("error").textContent = words;
  block("error").hidden = words === "";
}

function busy(words: string): void {
  block("busy").hidden = words === "";
  (block("busy").lastElementChild as HTMLElement).textContent = words;
}

// === Opening ===

/** Opens one photo after the other; of several given meanwhile, the last. */
const opener = new Latest<{ file: Blob; name: string }>(async ({ file, name }) => {
  isOpening = true;
  button("save").disabled = true;
  await open(file, name);
  isOpening = false;
  button("save").disabled = current === null;
});

async function open(file: Blob, name: string): Promise<void> {
  const start = performance.now();
  complain("");
  status("");
  busy(document.body.dataset.warm ? "Looking at faces and light …" : "Loading the models …");
  try {
    const opened = await runtime.call("open", file);
    const faces = opened.faces.map((_, index) => index);
    const look = await runtime.call("look", faces);
    const automatic = automaticChoice(look, faces);
    current = { name, opened, automatic, look, history: new History(automatic) };
    compositor.show(opened.preview);
    block("frame").style.setProperty("--ratio", String(opened.columns / opened.rows));
    block("welcome").hidden = true;
    block("frame").hidden = block("panel").hidden = false;
    panel.showSpheres(look);
    lay();
    await showRelit(automatic);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const megapixels = (opened.rows * opened.columns) / 1e6;
    const large =
      megapixels > LARGE
        ? ` It is large (${megapixels.toFixed(0)} megapixels): saving takes a moment.`
        : "";
    const count = faces.length === 1 ? "1 face" : `${faces.length} faces`;
    status(`Relit in ${seconds} s: ${count} found.${large}`);
  } catch (error) {
    complain((error as Error).message);
  } finally {
    busy("");
  }
}

function automaticChoice({ setup }: Look, faces: readonly number[]): Choice {
  const lights = setup.lights.map((light) => ({ ...light, warmth: 0 }));
  return { lights, selected: 0, fill: setup.fill, faces };
}

function asked({ faces, lights, fill }: Choice): Asked {
  return { faces, setup: { lights, fill, reason: "" } };
}

// === The light ===

const relight = new Latest<Choice>(async (choice) => {
  if (isOpening) return; // the worker looks at another photo by now
  try {
    await showRelit(choice);
  } catch (error) {
    complain((error as Error).message);
  }
});

/** Show the picture with a choice of lights. */
async function showRelit(choice: Choice): Promise<void> {
  if (current === null) return;
  const shown = current;
  show();
  const gain: Gain = await runtime.call("gain", asked(choice));
  if (shown !== current) return;
  compositor.light(gain);
  draw();
  if (choice !== current.automatic) {
    panel.explain(`Placed by hand: key-to-fill ${gain.keyToFill.toFixed(1)}:1.`);
  } else {
    panel.explain(current.look.setup.reason);
  }
  document.body.dataset.drawn = String(Number(document.body.dataset.drawn ?? 0) + 1);
}

/** Where the picture begins to be relit, in its own pixels. */
function splitColumn(): number {
  if (holding) return Infinity;
  const share = input("split-at").valueAsNumber / 100;
  return isSplit() ? share * canvas.width : 0;
}

function isSplit(): boolean {
  return button("split").getAttribute("aria-pressed") === "true";
}

function draw(): void {
  compositor.draw(splitColumn());
  const divider = block("divider");
  divider.hidden = !isSplit() || holding;
  divider.style.left = `${input("split-at").value}%`;
}

/** Bring the controls up to date. */
function show(): void {
  if (current === null) return;
  const { history, opened } = current;
  ball.show(history.choice.lights, history.choice.selected);
  panel.show(history.choice, opened.faces.length);
  panel.showSteps(history.canUndo, history.canRedo);
}

/** The choice before a drag that is under way. */
let before: Choice | null = null;

function change(choice: Choice, done: boolean): void {
  if (current === null) return;
  const { history } = current;
  before ??= history.choice;
  if (done) {
    history.commit(choice, before);
    before = null;
  } else {
    history.try(choice);
  }
  show();
  relight.give(choice);
}

function changeLight(index: number, part: Partial<EditorLight>, done: boolean): void {
  if (current === null) return;
  const { choice } = current.history;
  const lights = choice.lights.map((light, k) => (k === index ? { ...light, ...part } : light));
  change({ ...choice, lights, selected: index }, done);
}

const ball = new Ball(element("ball", SVGSVGElement), {
  select: (index) => {
    if (current === null || current.history.choice.selected === index) return;
    current.history.try({ ...current.history.choice, selected: index });
    show();
  },
  move: (index, azimuth, elevation, done) => {
    const azimuth_deg = 180 - ((((180 - azimuth) % 360) + 360) % 360);
    changeLight(index, { azimuth_deg, elevation_deg: elevation }, done);
  },
});

const panel = new Panel({
  change: (part, done) => {
    if (current) changeLight(current.history.choice.selected, part, done);
  },
  select: (index) => {
    if (current === null) return;
    current.history.try({ ...current.history.choice, selected: index });
    show();
    ball.focus(index);
  },
  add: () => {
    if (current === null) return;
    const { choice } = current.history;
    const last = choice.lights[choice.selected];
    const light = { ...last, azimuth_deg: -last.azimuth_deg, intensity: last.intensity / 2 };
    change({ ...choice, lights: [...choice.lights, light], selected: choice.lights.length }, true);
  },
  remove: (index) => {
    if (current === null) return;
    const { choice } = current.history;
    const lights = choice.lights.filter((_, k) => k !== index);
    change({ ...choice, lights, selected: Math.min(index, lights.length - 1) }, true);
  },
  toggleFace: (index) => {
    toggleFace(index).catch((error: Error) => complain(error.message));
  },
});

/** Light a face or leave it; an untouched automatic light is placed anew. */
async function toggleFace(index: number): Promise<void> {
  if (current === null || isOpening) return;
  const shown = current;
  const { choice } = shown.history;
  const faces = choice.faces.includes(index)
    ? choice.faces.filter((k) => k !== index)
    : [...choice.faces, index].sort((a, b) => a - b);
  if (faces.length === 0) {
    status("At least one face stays lit.");
    return;
  }
  const untouched = choice === shown.automatic;
  const look = await runtime.call("look", faces);
  if (shown !== current) return;
  shown.look = look;
  panel.showSpheres(look);
  const next = untouched ? automaticChoice(look, faces) : { ...choice, faces };
  if (untouched) shown.automatic = next;
  change(next, true);
  lay();
}

// === Around the picture ===

/** Fit the ball to the face as it is shown. */
function lay(): void {
  if (current === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const face = current.opened.faces[current.history.choice.faces[0]];
  ball.over(face.left * width, face.top * height, face.width * width, face.height * height);
  show();
}

function step(move: (history: History) => void): void {
  if (current === null) return;
  move(current.history);
  lay();
  relight.give(current.history.choice);
}

async function save(): Promise<void> {
  if (current === null || isOpening) return;
  const { name, history } = current;
  complain("");
  busy("Saving at full size …");
  try {
    const blob = await runtime.call("save", asked(history.choice));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/\.[^.]*$/, "")}.relit.${EXTENSIONS[blob.type] ?? "png"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    status(`Saved as ${link.download}.`);
  } catch (error) {
    complain((error as Error).message);
  } finally {
    busy("");
  }
}

function hold(on: boolean): void {
  holding = on;
  button("before").setAttribute("aria-pressed", String(on));
  draw();
}

listen((file, name) => opener.give({ file, name }), complain);
button("save").addEventListener("click", () => void save());
button("undo").addEventListener("click", () => step((history) => history.undo()));
button("redo").addEventListener("click", () => step((history) => history.redo()));
button("reset").addEventListener("click", () => {
  if (current !== null) change(current.automatic, true);
});
button("split").addEventListener("click", () => {
  const on = !isSplit();
  button("split").setAttribute("aria-pressed", String(on));
  block("split-row").hidden = !on;
  draw();
});
input("split-at").addEventListener("input", draw);
for (const [kind, on] of [
  ["pointerdown", true],
  ["pointerup", false],
  ["pointerleave", false],
  ["pointercancel", false],
] as const) {
  button("before").addEventListener(kind, () => hold(on));
}
for (const [kind, on] of [
  ["keydown", true],
  ["keyup", false],
] as const) {
  button("before").addEventListener(kind, (event) => {
    if (event.key === " " || event.key === "Enter") hold(on);
  });
}
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  const keys: Record<string, () => void> = {
    z: () => step((history) => (event.shiftKey ? history.redo() : history.undo())),
    y: () => step((history) => history.redo()),
    s: () => void save(),
    o: () => input("file").click(),
  };
  const action = keys[event.key.toLowerCase()];
  if (action === undefined) return;
  event.preventDefault();
  action();
});
new ResizeObserver(lay).observe(canvas);

/** Milliseconds, the best of several rounds, of Face Mesh and of a drag, in this browser. */
async function measure(): Promise<Measured & { composition: number }> {
  if (current === null) throw new Error("open a photo first");
  const [light] = current.history.choice.lights;
  const measured = await runtime.call("measure", light);
  const setup = { lights: [light], fill: FULL_FILL, reason: "" };
  const gain = await runtime.call("gain", { faces: [0], setup });
  let composition = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    compositor.light(gain);
    draw();
    compositor.finish();
    composition = Math.min(composition, performance.now() - start);
  }
  return { ...measured, composition };
}
Object.assign(window, { measureRelight: measure });

function changed(target: EventTarget, event: string): Promise<unknown> {
  return new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));
}

/** Keep the page for use offline; done once all of it is kept, so that nothing is fetched twice. */
async function keepOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("./service.js");
    const { active } = await navigator.serviceWorker.ready;
    while (active?.state === "activating") await changed(active, "statechange");
    document.body.dataset.offline = "1";
  } catch {
    status("This browser will not keep the page for use offline.");
  }
}

async function warm(): Promise<void> {
  await keepOffline();
  await runtime.call("warm", null);
  document.body.dataset.warm = "1";
}
warm().catch((error: Error) => complain(error.message));
