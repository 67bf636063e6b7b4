// SPDX-License-Identifier: Apache-2.0
/** Draws the part of a relit photo that is seen: on the GPU where there is WebGL 2. */
import { apply } from "../../gain/apply";
import { clamp, Pixels, Raster } from "../../image/raster";
import type { Gain, Part, Picture } from "../../worker/protocol";
import { FRAGMENT, VERTEX } from "./program";

/** How the photo lies on the canvas, in canvas pixels. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  /** Canvas pixels per pixel of the photo. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
  /** Left of this column the photo is shown as it was; Infinity for all of it. */
  readonly split: number;
}

export interface Compositor {
  /** Show a photo of a size, by a picture of it that may be smaller. */
  show(preview: Picture, columns: number, rows: number): void;
  /** Show a picture of a film: another one soon follows. */
  roll(picture: ImageBitmap): void;
  light(gain: Gain | null): void;
  /** The light lies elsewhere: in fractions of the photo. */
  move(left: number, top: number): void;
  /** A part of the photo at its own size. */
  detail(part: Part, picture: Picture): void;
  draw(frame: Frame): void;
  /** Wait until what was asked is drawn. */
  finished(): Promise<void>;
}

/** @param lost called when the GPU gives up and when it is back: then all is to be drawn anew. */
export function createCompositor(canvas: HTMLCanvasElement, back: () => void): Compositor {
  const options = { alpha: true, premultipliedAlpha: false, preserveDrawingBuffer: true };
  const gl = canvas.getContext("webgl2", options) as WebGL2RenderingContext | null;
  return gl === null ? new PlainCompositor(canvas) : new WebGLCompositor(canvas, gl, back);
}

const [PREVIEW, CHANGE, DETAIL] = [0, 1, 2];
const UNIFORMS = ["box", "exact", "level", "part", "rows", "size", "split", "view"] as const;
/** How much finer than the screen the preview's copy is, in halvings: rather sharp than soft. */
const FINER = 0.25;
/** Milliseconds between looks whether the GPU is done. */
const POLL = 3;

/** What is shown; the pixels of a film's picture are the GPU's alone. */
interface Shown {
  readonly picture: Picture | { readonly columns: number; readonly rows: number; readonly data: null };
  readonly columns: number;
  readonly rows: number;
}

class WebGLCompositor implements Compositor {
  private uniforms: Partial<Record<string, WebGLUniformLocation | null>> = {};
  private preview: Shown | null = null;
  private gain: Gain | null = null;
  private near: { part: Part; picture: Picture } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
    back: () => void,
  ) {
    this.prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      this.upload();
      back();
    });
  }

  private prepare(): void {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind);
      if (shader === null) return; // lost again meanwhile
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`The GPU refused the page's program: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    const uniform = (name: string): WebGLUniformLocation | null =>
      gl.getUniformLocation(program, name);
    this.uniforms = Object.fromEntries(UNIFORMS.map((name) => [name, uniform(name)]));
    for (const [name, unit] of [
      ["preview", PREVIEW],
      ["change", CHANGE],
      ["detail", DETAIL],
    ] as const) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.uniform1i(uniform(name), unit);
    }
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  /** All that the GPU holds, from what the page holds. */
  private upload(): void {
    const { preview, gain, near } = this;
    if (preview === null || preview.picture.data === null) return;
    this.show(preview.picture, preview.columns, preview.rows);
    this.light(gain);
    if (near !== null) this.detail(near.part, near.picture);
  }

  private fill(unit: number, { columns, rows, data }: Picture): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, columns, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
  }

  show(picture: Picture, columns: number, rows: number): void {
    const { gl } = this;
    this.preview = { picture, columns, rows };
    this.near = null;
    this.fill(PREVIEW, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    this.light(null);
  }

  roll(picture: ImageBitmap): void {
    const { gl } = this;
    const { width: columns, height: rows } = picture;
    this.preview = { picture: { columns, rows, data: null }, columns, rows };
    gl.activeTexture(gl.TEXTURE0 + PREVIEW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  }

  light(gain: Gain | null): void {
    const { gl } = this;
    this.gain = gain;
    gl.activeTexture(gl.TEXTURE0 + CHANGE);
    const [columns, rows, data] =
      gain === null ? [1, 1, new Float32Array(4)] : [gain.columns, gain.rows, gain.data];
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, columns, rows, 0, gl.RGBA, gl.FLOAT, data);
  }

  move(left: number, top: number): void {
    if (this.gain !== null) this.gain = { ...this.gain, left, top };
  }

  detail(part: Part, picture: Picture): void {
    this.near = { part, picture };
    this.fill(DETAIL, picture);
  }

  draw({ x, y, scale, width, height, split }: Frame): void {
    const { gl, uniforms, canvas, preview, gain, near } = this;
    if (preview === null || gl.isContextLost()) return;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    gl.viewport(0, 0, width, height);
    gl.disable(gl.SCISSOR_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT);
    // Around the photo there is nothing to work out.
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [wide, high] = [preview.columns, preview.rows].map((side) => Math.ceil(side * scale) + 2);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(left, height - top - high, wide, high);
    const shrunk = preview.picture.columns / (preview.columns * scale);
    const level = Math.max(0, Math.round(Math.log2(shrunk) - FINER));
    const box = gain === null ? [0, 0, 1, 1] : [gain.left, gain.top, gain.width, gain.height];
    const part = near?.part ?? { left: 0, top: 0, columns: 0, rows: 0 };
    const set = (name: (typeof UNIFORMS)[number]): WebGLUniformLocation | null =>
      uniforms[name] ?? null;
    gl.uniform4fv(set("box"), box);
    gl.uniform4f(set("part"), part.left, part.top, part.columns, part.rows);
    gl.uniform2f(set("size"), preview.columns, preview.rows);
    gl.uniform3f(set("view"), x, y, scale);
    gl.uniform1f(set("rows"), height);
    gl.uniform1f(set("level"), level);
    gl.uniform1f(set("split"), Math.min(split, width));
    gl.uniform1i(set("exact"), scale === 1 && Number.isInteger(x) && Number.isInteger(y) ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  async finished(): Promise<void> {
    const { gl } = this;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (fence === null) return;
    gl.flush();
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
    gl.deleteSync(fence);
  }
}

/** Longer side at most of the picture that is relit without a GPU. */
const PLAIN_SIDE = 1024;

class PlainCompositor implements Compositor {
  private photo: ImageData | null = null;
  private relit: ImageData | null = null;
  private gain: Gain | null = null;
  private size = [1, 1];

  constructor(private readonly canvas: HTMLCanvasElement) {}

  show({ columns, rows, data }: Picture, ...size: [number, number]): void {
    this.size = size;
    const scale = Math.min(1, PLAIN_SIDE / Math.max(columns, rows));
    const [wide, high] = [columns, rows].map((side) => Math.max(1, Math.round(side * scale)));
    const small = new OffscreenCanvas(wide, high).getContext("2d");
    small?.drawImage(drawn(new ImageData(data.slice(), columns, rows)), 0, 0, wide, high);
    this.photo = this.relit = small?.getImageData(0, 0, wide, high) ?? null;
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

  move(left: number, top: number): void {
    if (this.gain !== null) this.light({ ...this.gain, left, top });
  }

  roll(picture: ImageBitmap): void {
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    context?.drawImage(picture, 0, 0);
    const seen = context?.getImageData(0, 0, picture.width, picture.height);
    if (seen) this.show(pictureOf(seen), picture.width, picture.height);
  }

  detail(): void {
    // Without a GPU the photo stays as sharp as its preview.
  }

  draw({ x, y, scale, width, height, split }: Frame): void {
    const { canvas, photo, relit } = this;
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    if (context === null || photo === null || relit === null) return;
    const [wide, high] = this.size.map((side) => side * scale);
    context.drawImage(drawn(relit), x, y, wide, high);
    if (split <= x) return;
    context.beginPath();
    context.rect(0, 0, Math.min(split, width), height);
    context.clip();
    context.drawImage(drawn(photo), x, y, wide, high);
  }

  async finished(): Promise<void> {}
}

function pictureOf({ width, height, data }: ImageData): Picture {
  return { columns: width, rows: height, data: data as Uint8ClampedArray<ArrayBuffer> };
}

function drawn(image: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}
