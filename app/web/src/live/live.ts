// SPDX-License-Identifier: Apache-2.0
/** The camera's picture, relit as its light is moved; pictures are left out rather than late. */
import "./live.css";
import { createCompositor, gpuIsBack, type Compositor } from "../drawing/compositor";
import { renewed } from "../drawing/easel";
import { block, button, dialog, download, element, input } from "../editor/element";
import type { Source } from "../editor/sheet/source";
import { say, type Key } from "../editor/text/message";
import { Trouble } from "../trouble";
import type { Gain } from "../worker/protocol";
import { Runtime } from "../worker/runtime";
import { Camera } from "./camera";
import type { Followed } from "./follower";
import { Recorder } from "./recorder";
import { Sound } from "./sound";
import { Stand } from "./stand";
import type { Scene } from "./study";

/** Share of the newest picture in the mean time between two. */
const NEWEST = 0.1;
/** Milliseconds after which the page says anew how many pictures there are a second. */
const SAY_EVERY = 500;
const STILL_QUALITY = 0.95;

export interface LiveListener {
  /** A worker that has time to look at faces; this one's pictures are relit by another. */
  readonly runtime: Runtime;
  /** Another worker, its models loaded. */
  spare(): Promise<Runtime>;
  /** A still was taken. */
  take(source: Source): void;
  tell(words: string): void;
  complain(error: unknown): void;
}

/** From opening the camera to letting go of it. */
interface Session {
  readonly camera: Camera;
  readonly worker: Runtime;
  begun: number | null;
  isFresh: boolean;
  isBusy: boolean;
  isStudying: boolean;
  /** Milliseconds from a picture's taking to its showing, the last one's. */
  late: number;
  /** Milliseconds between two pictures on average, and when the last was shown. */
  pace: number;
  shownAt: number;
  saidAt: number;
}

export class Live {
  private readonly sheet = dialog("live");
  private canvas = element("live-picture", HTMLCanvasElement);
  private readonly video = document.createElement("video");
  private compositor = this.composed();
  private readonly stand = new Stand();
  private session: Session | null = null;
  private recorder: Recorder | null = null;
  private isComparing = false;
  /** Counts openings: one may be closed, and another begun, while the models are on their way. */
  private visits = 0;
  /** The light shown last, with its pixels. */
  private light: Gain | null = null;

  constructor(private readonly listener: LiveListener) {
    this.video.muted = this.video.playsInline = true;
    button("camera-live").addEventListener("click", () => void this.open());
    button("live-still").addEventListener("click", () => void this.still());
    button("live-record").addEventListener("click", () => void this.record());
    button("live-before").addEventListener("click", () => {
      this.isComparing = !this.isComparing;
      button("live-before").setAttribute("aria-pressed", String(this.isComparing));
    });
    this.sheet.addEventListener("close", () => void this.close());
  }

  get isRecording(): boolean {
    return this.recorder !== null;
  }

  private composed(): Compositor {
    return createCompositor(this.canvas, () => void gpuIsBack().then(() => this.renew()));
  }

  /** The GPU was lost, and its canvas with it. */
  private renew(): void {
    if (this.recorder !== null) void this.record(); // nothing more comes from the old canvas
    this.canvas = renewed(this.canvas);
    this.compositor = this.composed();
    this.compositor.light(this.light);
  }

  private async open(): Promise<void> {
    dialog("menu").close();
    const visit = ++this.visits;
    let worker: Runtime | null = null;
    try {
      const camera = await Camera.open(this.video, () => this.fresh(), () => this.lost());
      this.say("liveOpening");
      this.stand.begin();
      this.canvas.dataset.relit = "0";
      this.canvas.classList.toggle("mirror", camera.isMirror);
      this.sheet.showModal();
      try {
        worker = await this.listener.spare();
      } catch (error) {
        camera.stop();
        throw error;
      }
      if (!this.sheet.open || visit !== this.visits) {
        camera.stop();
        worker.close();
        return;
      }
      this.session = {
        camera, worker, begun: null, isFresh: false, isBusy: false, isStudying: false, late: 0,
        pace: 0, shownAt: 0, saidAt: 0,
      };
    } catch (error) {
      this.sheet.close();
      this.listener.complain(error);
    }
  }

  /** The sheet was closed: what was recorded is saved, the camera is let go of. */
  private async close(): Promise<void> {
    const { session } = this;
    this.session = null;
    session?.camera.stop();
    session?.worker.close();
    if (this.recorder !== null) await this.record();
  }

  private lost(): void {
    this.sheet.close();
    this.listener.complain(new Trouble("cameraGone"));
  }

  private fresh(): void {
    if (this.session === null) return;
    this.session.isFresh = true;
    void this.next(this.session);
  }

  /** Relight the newest picture, if the one before is done. */
  private async next(session: Session): Promise<void> {
    if (!session.isFresh || session.isBusy) return;
    [session.isFresh, session.isBusy] = [false, true];
    try {
      const frame = await session.camera.picture();
      const now = performance.now();
      session.begun ??= now;
      const at = (now - session.begun) / 1000;
      const { setup } = this.stand;
      const asked = { frame, at, setup, mayStudy: !session.isStudying };
      const followed = await session.worker.call("follow", asked, [frame]);
      if (this.session !== session) return;
      this.show(session, followed);
      session.late = performance.now() - now;
      if (followed.scene !== null) void this.study(session, followed.scene);
    } catch (error) {
      this.fail(session, error);
    }
    session.isBusy = false;
    void this.next(session);
  }

  private async study(session: Session, scene: Scene): Promise<void> {
    session.isStudying = true;
    try {
      const pattern = this.stand.wanted;
      const asked = { scene, pattern };
      const study = await this.listener.runtime.call("study", asked, [scene.picture.data.buffer]);
      if (this.session !== session) return;
      if (study.setup !== null && pattern !== undefined) this.stand.use(study.setup, pattern);
      await session.worker.call("learn", study);
    } catch (error) {
      this.fail(session, error);
    }
    session.isStudying = false;
  }

  private fail(session: Session, error: unknown): void {
    if (this.session !== session || !this.sheet.open) return; // it was closed meanwhile
    this.sheet.close();
    this.listener.complain(error);
  }

  private show(session: Session, { frame, faces, gain }: Followed): void {
    const { canvas, compositor } = this;
    const { width, height } = frame;
    compositor.roll(frame);
    if (gain === null || "data" in gain) compositor.light((this.light = gain));
    else compositor.move(gain.left, gain.top);
    frame.close();
    const split = this.isComparing ? Infinity : 0;
    compositor.draw({ x: 0, y: 0, scale: 1, width, height, split });
    this.stand.follow(faces, { columns: width, rows: height, isMirror: session.camera.isMirror });
    const now = performance.now();
    const took = now - session.shownAt;
    session.pace = session.pace === 0 ? took : session.pace + NEWEST * (took - session.pace);
    session.shownAt = now;
    if (gain !== null) canvas.dataset.relit = String(Number(canvas.dataset.relit) + 1);
    if (faces.length === 0) this.say("liveNoFace");
    else this.say(gain === null ? "looking" : null);
    if (now - session.saidAt > SAY_EVERY) {
      session.saidAt = now;
      block("live-rate").textContent = say("liveRate", { rate: (1000 / session.pace).toFixed(0) });
    }
  }

  /** What goes on, or nothing. */
  private say(key: Key | null): void {
    const words = key === null ? "" : say(key);
    if (block("live-words").textContent !== words) block("live-words").textContent = words;
  }

  /** Start or end a recording. */
  private async record(): Promise<void> {
    const { recorder, session } = this;
    const shutter = button("live-record");
    shutter.disabled = true;
    try {
      if (recorder !== null) {
        this.recorder = null;
        const film = await recorder.finish();
        if (film !== null) {
          download(film.file, film.name);
          this.listener.tell(say("saved", { name: film.name }));
        }
      } else if (session !== null) {
        const sound = input("live-sound").checked ? await Sound.open(session.late / 1000) : null;
        if (this.session === session) this.recorder = new Recorder(this.canvas, sound);
        else sound?.stop(); // it was closed meanwhile
      }
    } catch (error) {
      this.sheet.close();
      this.listener.complain(error);
    }
    shutter.disabled = false;
    input("live-sound").disabled = this.isRecording;
    shutter.setAttribute("aria-pressed", String(this.isRecording));
    shutter.textContent = say(this.isRecording ? "liveStop" : "liveRecord");
  }

  /** Take the picture as the camera sees it into the editor, with the light as it stands. */
  private async still(): Promise<void> {
    const { session, stand } = this;
    if (session === null) return;
    try {
      const picture = await session.camera.picture();
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      canvas.getContext("2d")?.drawImage(picture, 0, 0);
      const file = await canvas.convertToBlob({ type: "image/jpeg", quality: STILL_QUALITY });
      const { setup } = stand;
      this.sheet.close();
      this.listener.take({ file, name: "photo.jpg", setup: setup ?? undefined });
    } catch (error) {
      this.fail(session, error);
    }
  }
}
