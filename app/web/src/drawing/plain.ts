// SPDX-License-Identifier: Apache-2.0
/** Draws a relit photo without a GPU, at a size that this takes a moment for. */
import { apply } from "../gain/apply";
import { clamp, Pixels, Raster } from "../image/raster";
import type { Gain } from "../worker/protocol";
import type { Canvas, Compositor, Frame, Shown } from "./compositor";

/** Longer side at most of the picture that is relit without a GPU. */
const PLAIN_SIDE = 1024;

export class PlainCompositor implements Compositor {
  private photo: ImageData | null = null;
  private relit: ImageData | null = null;
  private gain: Gain | null = null;
  private size = [1, 1];

  constructor(private readonly canvas: Canvas) {}

  show({ picture, columns, rows }: Shown): void {
    this.paint(drawn(new ImageData(picture.data.slice(), picture.columns, picture.rows)));
    this.size = [columns, rows];
    this.light(null);
  }

  roll(picture: ImageBitmap): void {
    this.paint(picture);
    this.size = [picture.width, picture.height];
    this.light(this.gain);
  }

  private paint(source: ImageBitmap | OffscreenCanvas): void {
    const scale = Math.min(1, PLAIN_SIDE / Math.max(source.width, source.height));
    const [wide, high] = [source.width, source.height].map((side) =>
      Math.max(1, Math.round(side * scale)),
    );
    const small = new OffscreenCanvas(wide, high).getContext("2d");
    small?.drawImage(source, 0, 0, wide, high);
    this.photo = small?.getImageData(0, 0, wide, high) ?? null;
  }

  move(left: number, top: number): void {
    if (this.gain !== null) this.light({ ...this.gain, left, top });
  }

  light(gain: Gain | null): void {
    this.gain = gain;
    this.relit = this.photo;
    if (this.photo === null || gain === null) return;
    const { width, height, data } = this.photo;
    const pixels = new Pixels(height, width, data.slice() as Uint8ClampedArray<ArrayBuffer>);
    const [left, top] = [Math.round(gain.left * width), Math.round(gain.top * height)];
    const columns = Math.max(1, Math.min(width - left, Math.round(gain.width * width)));
    const rows = Math.max(1, Math.min(height - top, Math.round(gain.height * height)));
    const [added, taken] = [new Raster(rows, columns, 3), new Raster(rows, columns, 1)];
    for (let y = 0, i = 0; y < rows; y++) {
      const row = clamp(Math.floor(((y + 0.5) / rows) * gain.rows), 0, gain.rows - 1);
      for (let x = 0; x < columns; x++, i++) {
        const column = clamp(Math.floor(((x + 0.5) / columns) * gain.columns), 0, gain.columns - 1);
        const cell = (row * gain.columns + column) * 4;
        for (let c = 0; c < 3; c++) added.data[i * 3 + c] = gain.data[cell + c];
        taken.data[i] = gain.data[cell + 3];
      }
    }
    apply(pixels, { left, top, factor: 1, gain: added, dimming: taken });
    this.relit = new ImageData(pixels.rgba, width, height);
  }

  detail(): void {
    // Without a GPU the photo stays as sharp as its preview.
  }

  draw({ x, y, scale, width, height, split }: Frame): number {
    const { canvas, photo, relit } = this;
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d") as CanvasRenderingContext2D | null;
    if (context === null || photo === null || relit === null) return 0;
    const [wide, high] = this.size.map((side) => side * scale);
    context.drawImage(drawn(relit), x, y, wide, high);
    if (split <= x) return wide * high;
    context.beginPath();
    context.rect(0, 0, Math.min(split, width), height);
    context.clip();
    context.drawImage(drawn(photo), x, y, wide, high);
    return wide * high;
  }

  async finished(): Promise<void> {}
}

function drawn(image: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}
