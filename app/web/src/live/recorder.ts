// SPDX-License-Identifier: Apache-2.0
/** Records what a canvas shows into a video file, without sound. */
import { Trouble } from "../trouble";

/** In order: what plays everywhere, where the browser can write it; what needs least work; any. */
const KINDS = ["video/mp4;codecs=avc1.64001f", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const BITS_PER_PIXEL = 5;
/** Milliseconds after which a part of the film is kept, so that little is lost if it breaks off. */
const PART = 1000;

export class Recorder {
  private readonly parts: Blob[] = [];
  private readonly recorder: MediaRecorder;
  private readonly ended: Promise<void>;

  /** @throws Trouble if the browser cannot record. */
  constructor(canvas: HTMLCanvasElement) {
    const mimeType =
      typeof MediaRecorder === "undefined"
        ? undefined
        : KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    if (mimeType === undefined) throw new Trouble("cannotRecord");
    const videoBitsPerSecond = BITS_PER_PIXEL * canvas.width * canvas.height;
    this.recorder = new MediaRecorder(canvas.captureStream(), { mimeType, videoBitsPerSecond });
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
    const [type] = this.recorder.mimeType.split(";");
    const file = new Blob(this.parts, { type });
    return file.size === 0 ? null : { file, name: `portrait.${type === "video/mp4" ? "mp4" : "webm"}` };
  }
}
