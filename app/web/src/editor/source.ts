// SPDX-License-Identifier: Apache-2.0
/** Where photos come from: picked, dropped, pasted, or taken with the camera. */
import { block, button, element, input } from "./element";

/** Called with a file and its name. */
type Take = (file: Blob, name: string) => void;

/**
 * Listen for photos.
 *
 * @param take called with each.
 * @param complain called with a sentence when there is none.
 */
export function listen(take: Take, complain: (words: string) => void): void {
  const picker = input("file");
  button("open").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    picker.value = ""; // so that the same file can be picked again
    if (file) take(file, file.name);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData) offer(clipboardData, "pasted.png", take, complain);
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
    if (event.dataTransfer) offer(event.dataTransfer, "dropped.png", take, complain);
  });
  listenToCamera(take, complain);
}

function offer(
  data: DataTransfer,
  fallback: string,
  take: Take,
  complain: (words: string) => void,
): void {
  const [file] = data.files;
  if (file) take(file, file.name || fallback);
  else complain("There is no photo in what you dropped or pasted.");
}

function listenToCamera(take: Take, complain: (words: string) => void): void {
  const dialog = element("shutter", HTMLDialogElement);
  const video = dialog.querySelector("video") as HTMLVideoElement;
  button("camera").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1440 } },
      });
    } catch {
      complain("There is no camera that this page may use. Open a photo instead.");
      return;
    }
    dialog.showModal();
    await video.play();
  });
  dialog.addEventListener("close", () => {
    (video.srcObject as MediaStream | null)?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  });
  button("cancel").addEventListener("click", () => dialog.close());
  button("shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob((blob) => blob && take(blob, "photo.jpg"), "image/jpeg", 0.95);
    dialog.close();
  });
}
