// SPDX-License-Identifier: Apache-2.0
/** Records what a canvas shows into a video file, and what the microphone hears, if it is to. */
import { Trouble } from "../trouble";
import type { Sound } from "./sound";

/** In order: what plays everywhere, where the browser can write it; what needs least work; any. */
const KINDS = ["video/mp4;codecs=avc1.64001f", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
/** With sound. */
const HEARD_KINDS = [
  "video/mp4;codecs=avc1.64001f,mp4a.40.2",
  "video/webm;codecs=vp8,opus",
  "video/webm",
  "video/mp4",
];
const BITS_PER_PIXEL = 5;
/** Milliseconds after which a part of the film is kept, so that little is lost if it breaks off. */
const PART = 1000;

export class Recorder {
  private readonly parts: Blob[] = [];
  private readonly recorder: MediaRecorder;
  private readonly ended: Promise<void>;

  /** @throws Trouble if the browser cannot record. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly sound: Sound | null,
  ) {
    const kinds = sound === null ? KINDS : HEARD_KINDS;
    const mimeType =
      typeof MediaRecorder === "undefined"
        ? undefined
        : kinds.find((kind) => MediaRecorder.isTypeSupported(kind));
    if (mimeType === undefined) throw new Trouble("cannotRecord");
    const videoBitsPerSecond = BITS_PER_PIXEL * canvas.width * canvas.height;
    const stream = canvas.captureStream();
    for (const track of sound?.tracks ?? []) stream.addTrack(track);
    this.recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.parts.push(data));
    this.ended = new Promise((resolve) => {
      // After an error, too, what was recorded until then is given out.
      this.recorder.addEventListener("stop", () => resolve());
    });
    this.recorder.start(PART);
  }

  /** End the film; null if it holds nothing. */
  async finish(): Promise<{ file: Blob; name: string } | null> {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.ended;
    for (const track of this.recorder.stream.getTracks()) track.stop();
    this.sound?.stop();
    const [type] = this.recorder.mimeType.split(";");
    const file = new Blob(this.parts, { type });
    return file.size === 0 ? null : { file, name: `portrait.${type === "video/mp4" ? "mp4" : "webm"}` };
  }
}
