// SPDX-License-Identifier: Apache-2.0
/** The photo that is open, and everything that is done with its light. */
import { WHITE } from "../light";
import type { Output } from "../photo/file";
import type { Reason } from "../placement/wording";
import type { Setup } from "../setup";
import { Trouble } from "../trouble";
import type { Asked, Look, Opened, Recipe, ShownFace } from "../worker/protocol";
import { Latest, type Runtime } from "../worker/runtime";
import { alike, History, type Choice, type EditorLight } from "./history";
import { AUTOMATIC, libraryName, type Patterns } from "./panel/pattern";
import type { Details } from "./panel/detail";
import type { Panel } from "./panel/panel";
import type { Stage } from "./photo/stage";

/** Intensity of a light that is switched on by dragging it, and of one that is added. */
const STARTING = 0.6;
/** Where further lights stand, degrees: of these, the one furthest from all others. */
const FREE: readonly (readonly [number, number])[] = [
  [-45, 30],
  [45, 30],
  [135, 25],
  [-135, 25],
  [0, 55],
  [0, -25],
];
const DEFAULT_LIGHT: EditorLight = {
  azimuth_deg: -45,
  elevation_deg: 30,
  intensity: 0,
  color: WHITE,
  softness_deg: 10,
  warmth: 0,
  gloss: 1,
};

/** Everything known of the photo that is open. */
export interface Paper {
  readonly name: string;
  readonly file: Blob;
  readonly opened: Opened;
  readonly faces: readonly ShownFace[];
  look: Look;
  /** What was placed automatically; Reset returns to it. */
  automatic: Choice;
  history: History;
  /** What was exported last. */
  saved: Choice | null;
}

/** A setup as what the user could have chosen. */
export function choiceOf(setup: Setup, faces: readonly number[], pattern: string | null): Choice {
  const lights = setup.lights.map((light) => ({ ...light, warmth: 0 }));
  const used = lights.length > 0 ? lights : [DEFAULT_LIGHT];
  const { fill, shares = [] } = setup;
  return { lights: used, selected: 0, fill, shares, faces, pattern };
}

function asked({ faces, lights, fill, shares }: Choice): Asked {
  return { faces, setup: { lights, fill, shares, reason: [] } };
}

export class Desk {
  paper: Paper | null = null;
  /** The choice before a change that is under way. */
  private before: Choice | null = null;
  private isSampling = false;
  private isIdle = true;
  private readonly relight: Latest<{ choice: Choice; isQuick: boolean }>;
  private readonly reface = new Latest<readonly number[]>((faces) => this.lookAgain(faces));

  constructor(
    private readonly runtime: Runtime,
    private readonly view: {
      readonly stage: Stage;
      readonly panel: Panel;
      readonly patterns: Patterns;
      readonly details: Details;
    },
    private readonly complain: (error: unknown) => void,
  ) {
    this.relight = new Latest(
      ({ choice, isQuick }) => this.showRelit(choice, isQuick),
      () => {
        this.isIdle = true;
        void this.sampleNext();
      },
    );
  }

  get choice(): Choice | null {
    return this.paper?.history.choice ?? null;
  }

  /** Whether something would be lost with the page. */
  get isUnsaved(): boolean {
    const { paper } = this;
    return paper !== null && !alike(paper.history.choice, paper.saved ?? paper.automatic);
  }

  /** Work on a photo; resolves when it is relit. */
  async put(paper: Paper): Promise<void> {
    this.paper = paper;
    this.before = null;
    const { stage, patterns, details } = this.view;
    patterns.forget();
    details.found(paper.look);
    stage.found(paper.faces);
    this.show();
    await this.showRelit(paper.history.choice, false);
    void this.sampleNext();
  }

  /** Nothing is open. */
  clear(): void {
    this.paper = null;
  }

  // === Changes ===

  change(choice: Choice, done: boolean): void {
    if (this.paper === null) return;
    const { history } = this.paper;
    this.before ??= history.choice;
    if (done) {
      history.commit(choice, this.before);
      this.before = null;
    } else {
      history.try(choice);
    }
    this.update(!done);
  }

  changeLight(index: number, part: Partial<EditorLight>, done: boolean): void {
    const { choice } = this;
    if (choice === null) return;
    const lights = choice.lights.map((light, k) => (k === index ? { ...light, ...part } : light));
    this.change({ ...choice, lights, selected: index, pattern: null }, done);
  }

  /** The selected light, or another, is taken to be dragged. */
  take(index: number | null): void {
    if (this.paper === null) return;
    const { choice } = this.paper.history;
    this.before = choice;
    const taken = index ?? choice.selected;
    const light = choice.lights[taken];
    // A light that is off shows nothing: who drags it wants it on.
    const intensity = light.intensity > 0 ? light.intensity : STARTING;
    this.view.stage.ball.take(taken, light);
    this.changeLight(taken, { intensity }, false);
  }

  move(azimuth: number, elevation: number): void {
    const { choice } = this;
    if (choice === null || this.before === null) return;
    this.changeLight(choice.selected, { azimuth_deg: wrapped(azimuth), elevation_deg: elevation }, false);
  }

  /** @param isKept false if a drag was broken off: then all is as before. */
  drop(isKept: boolean): void {
    if (this.paper === null || this.before === null) return;
    const { before } = this;
    const { history } = this.paper;
    this.before = null;
    if (isKept) history.commit(history.choice, before);
    else history.try(before);
    this.update(false);
  }

  turn(index: number, azimuth: number, elevation: number): void {
    this.changeLight(index, { azimuth_deg: wrapped(azimuth), elevation_deg: elevation }, true);
  }

  fill(share: number, done: boolean): void {
    const { choice } = this;
    if (choice !== null) this.change({ ...choice, fill: share, pattern: null }, done);
  }

  select(index: number): void {
    if (this.paper === null || this.paper.history.choice.selected === index) return;
    this.paper.history.try({ ...this.paper.history.choice, selected: index });
    this.show();
  }

  add(): void {
    const { choice } = this;
    if (choice === null) return;
    const apart = ([azimuth]: readonly [number, number]): number =>
      Math.min(...choice.lights.map((light) => Math.abs(wrapped(light.azimuth_deg - azimuth))));
    const [azimuth_deg, elevation_deg] = FREE.reduce((best, one) =>
      apart(one) > apart(best) ? one : best,
    );
    const last = choice.lights[choice.selected];
    const intensity = last.intensity > 0 ? last.intensity / 2 : STARTING;
    const lights = [...choice.lights, { ...last, azimuth_deg, elevation_deg, intensity }];
    this.change({ ...choice, lights, selected: lights.length - 1, pattern: null }, true);
  }

  remove(index: number): void {
    const { choice } = this;
    if (choice === null) return;
    const lights = choice.lights.filter((_, k) => k !== index);
    const selected = Math.min(index, lights.length - 1);
    this.change({ ...choice, lights, selected, pattern: null }, true);
  }

  /** @returns false if it is the last face that is lit. */
  toggleFace(index: number): boolean {
    const { choice } = this;
    if (choice === null) return true;
    const faces = choice.faces.includes(index)
      ? choice.faces.filter((k) => k !== index)
      : [...choice.faces, index].sort((a, b) => a - b);
    if (faces.length === 0) return false;
    this.change({ ...choice, faces, shares: [] }, true);
    this.view.patterns.forget();
    this.reface.give(faces);
    return true;
  }

  /** Other faces: a setup of the library's is placed anew for them. */
  private async lookAgain(faces: readonly number[]): Promise<void> {
    const { paper } = this;
    if (paper === null) return;
    try {
      const look = await this.runtime.call("look", faces);
      const { pattern } = paper.history.choice;
      const name = pattern === null ? null : libraryName(pattern);
      const setup =
        name === null ? look.setup : (await this.runtime.call("sample", { faces, pattern: name })).setup;
      const { choice } = paper.history;
      if (this.paper !== paper || choice.faces !== faces) return;
      paper.look = look;
      this.view.details.found(look);
      if (choice.pattern === pattern && pattern !== null) {
        paper.history.try(choiceOf(setup, faces, pattern));
        this.update(false);
      }
    } catch (error) {
      if (this.paper === paper) this.complain(error);
    }
  }

  /** Use a setup of the library's. */
  async choose(pattern: string): Promise<void> {
    const { paper, view } = this;
    if (paper === null) return;
    const { faces } = paper.history.choice;
    try {
      const known = view.patterns.sample(pattern);
      const { setup } =
        known ?? (await this.runtime.call("sample", { faces, pattern: libraryName(pattern) }));
      if (this.paper === paper) this.use(setup, pattern);
    } catch (error) {
      if (this.paper === paper) this.complain(error);
    }
  }

  /** Light the photo as another one is lit. */
  async copy(file: Blob): Promise<void> {
    const { paper } = this;
    if (paper === null) return;
    const { faces } = paper.history.choice;
    const setup = await this.runtime.call("like", { file, faces });
    if (this.paper === paper) this.use(setup, null);
  }

  private use(setup: Setup, pattern: string | null): void {
    const { choice } = this;
    if (choice !== null) this.change(choiceOf(setup, choice.faces, pattern), true);
  }

  reset(): void {
    if (this.paper !== null) this.change(this.paper.automatic, true);
  }

  step(move: (history: History) => void): void {
    if (this.paper === null || this.before !== null) return;
    move(this.paper.history);
    this.view.patterns.forget();
    this.update(false);
  }

  // === Results ===

  async save(output: Output): Promise<Blob> {
    const { paper } = this;
    if (paper === null) throw new Trouble("noFace");
    const { choice } = paper.history;
    const file = await this.runtime.call("save", { ...asked(choice), output });
    paper.saved = choice;
    return file;
  }

  recipe(): Recipe | null {
    const { choice } = this;
    if (choice === null) return null;
    const { lights, fill, pattern } = choice;
    // The automatic setup suits each photo in its own way.
    if (pattern !== null) return { setup: null, pattern: libraryName(pattern) };
    return { setup: { lights, fill, reason: [] }, pattern: null };
  }

  /** Bring the controls up to date. */
  show(): void {
    if (this.paper === null) return;
    const { history, faces, automatic } = this.paper;
    const { choice } = history;
    const { stage, panel, patterns } = this.view;
    stage.choose(choice);
    panel.show(choice, faces.length);
    panel.showSteps(history.canUndo, history.canRedo, !alike(choice, automatic));
    patterns.show(choice.pattern);
  }

  private update(isQuick: boolean): void {
    if (this.paper === null) return;
    this.show();
    this.isIdle = false;
    this.relight.give({ choice: this.paper.history.choice, isQuick });
  }

  /** Show the picture with a choice of lights. */
  private async showRelit(choice: Choice, isQuick: boolean): Promise<void> {
    const { paper } = this;
    if (paper === null) return;
    try {
      const gain = await this.runtime.call("gain", { ...asked(choice), isQuick });
      if (paper !== this.paper) return;
      this.view.stage.light(gain);
      this.view.details.show(choice, gain.keyToFill, this.reason(choice));
      document.body.dataset.drawn = String(Number(document.body.dataset.drawn ?? 0) + 1);
      document.body.dataset.quick = isQuick ? "1" : "";
    } catch (error) {
      if (paper === this.paper) this.complain(error);
    }
  }

  private reason({ pattern }: Choice): Reason {
    if (pattern === null || this.paper === null) return [];
    if (pattern === AUTOMATIC) return this.paper.look.setup.reason;
    return this.view.patterns.sample(pattern)?.setup.reason ?? [];
  }

  /** While nothing else is to be done, draw the setups' small pictures one by one. */
  private async sampleNext(): Promise<void> {
    const { paper, view } = this;
    const name = view.patterns.missing;
    if (paper === null || name === undefined || this.isSampling || !this.isIdle) return;
    const { faces } = paper.history.choice;
    this.isSampling = true;
    try {
      const sample = await this.runtime.call("sample", { faces, pattern: libraryName(name) });
      const now = this.choice?.faces.join();
      if (this.paper === paper && now === faces.join()) view.patterns.learn(name, sample);
    } catch (error) {
      if (this.paper === paper) this.complain(error);
      return;
    } finally {
      this.isSampling = false;
    }
    if (this.before === null) void this.sampleNext();
  }
}

/** An angle within half a turn. */
function wrapped(degrees: number): number {
  return 180 - ((((180 - degrees) % 360) + 360) % 360);
}
