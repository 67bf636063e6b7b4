// SPDX-License-Identifier: Apache-2.0
/** The device's camera as a stream of pictures. */
import { Trouble, type TroubleKind } from "../trouble";

/** As sharp as live work needs; cameras that have less give what they have. */
const WANTED = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };

/** What browsers call their refusals. */
const KINDS: Partial<Record<string, TroubleKind>> = {
  NotAllowedError: "cameraRefused",
  SecurityError: "cameraRefused",
  NotReadableError: "cameraBusy",
  AbortError: "cameraBusy",
};

export class Camera {
  private isOpen = true;

  private constructor(
    private readonly video: HTMLVideoElement,
    private readonly stream: MediaStream,
    fresh: () => void,
    gone: () => void,
  ) {
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.isOpen && gone());
    const next = (): void => {
      if (!this.isOpen) return;
      fresh();
      wait();
    };
    // Firefox before 132 does not tell when there is a picture: there each of the screen's counts.
    const wait = (): void => {
      if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    wait();
  }

  /**
   * Show the camera's pictures in a video element.
   *
   * @param fresh called for each new picture.
   * @param gone called if the camera is taken away.
   * @throws Trouble if there is none that may be used.
   */
  static async open(video: HTMLVideoElement, fresh: () => void, gone: () => void): Promise<Camera> {
    // Pages that are not secure have no devices at all.
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (devices === undefined) throw new Trouble("cameraNone");
    let stream: MediaStream;
    try {
      stream = await devices.getUserMedia({ video: WANTED });
    } catch (error) {
      throw new Trouble(KINDS[(error as Error).name] ?? "cameraNone");
    }
    video.srcObject = stream;
    const camera = new Camera(video, stream, fresh, gone);
    try {
      await video.play();
    } catch {
      camera.stop();
      throw new Trouble("cameraBusy");
    }
    return camera;
  }

  /** Whether it looks at its user, who then expects a mirror. */
  get isMirror(): boolean {
    const [track] = this.stream.getVideoTracks();
    return track.getSettings().facingMode !== "environment";
  }

  /** The latest picture. */
  picture(): Promise<ImageBitmap> {
    return createImageBitmap(this.video);
  }

  /** Let go of the camera. */
  stop(): void {
    this.isOpen = false;
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }
}
