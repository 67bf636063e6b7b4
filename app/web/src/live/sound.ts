// SPDX-License-Identifier: Apache-2.0
/** The microphone's sound beside a recording, held back as long as its pictures are. */
import { Trouble } from "../trouble";

/** Seconds that sound can be held back by. */
const LONGEST = 1;

export class Sound {
  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
    private readonly heard: MediaStream,
  ) {}

  /**
   * Listen to the microphone.
   *
   * @param late seconds from a picture's taking to its showing.
   * @throws Trouble if there is none that may be used.
   */
  static async open(late: number): Promise<Sound> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      throw new Trouble("noSound");
    }
    const context = new AudioContext();
    const heard = context.createMediaStreamDestination();
    const delay = new DelayNode(context, { delayTime: Math.min(late, LONGEST), maxDelayTime: LONGEST });
    context.createMediaStreamSource(stream).connect(delay).connect(heard);
    return new Sound(stream, context, heard.stream);
  }

  get tracks(): MediaStreamTrack[] {
    return this.heard.getAudioTracks();
  }

  /** Let go of the microphone. */
  stop(): void {
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}
