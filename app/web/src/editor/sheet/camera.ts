// SPDX-License-Identifier: Apache-2.0
/** A photo taken with the device's camera. */
import { button, dialog } from "../element";
import { say } from "../text/message";
import type { SourceListener } from "./source";

export function listenToCamera({ take, complain }: Pick<SourceListener, "take" | "complain">): void {
  const shutter = dialog("shutter");
  const video = shutter.querySelector("video") as HTMLVideoElement;
  button("camera").addEventListener("click", async () => {
    dialog("menu").close();
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1440 } },
      });
    } catch {
      complain(say("noCamera"));
      return;
    }
    shutter.showModal();
    await video.play();
  });
  shutter.addEventListener("close", () => {
    (video.srcObject as MediaStream | null)?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  });
  button("shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob((file) => file && take({ file, name: "photo.jpg" }), "image/jpeg", 0.95);
    shutter.close();
  });
}
