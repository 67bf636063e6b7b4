// SPDX-License-Identifier: Apache-2.0
/** Draws the part of a relit photo that is seen: on the GPU where there is WebGL 2. */
import type { Gain, Part, Picture } from "../worker/protocol";
import { PlainCompositor } from "./plain";
import { FRAGMENT, VERTEX } from "./program";

export type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** A photo of a size, and a picture of it that may be smaller. */
export interface Shown {
  readonly picture: Picture;
  readonly columns: number;
  readonly rows: number;
}

/** A part of the photo at its own size. */
export interface Near {
  readonly part: Part;
  readonly picture: Picture;
}

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
  show(shown: Shown): void;
  /** Show a picture of a film, under the light as it is: another one soon follows. */
  roll(picture: ImageBitmap): void;
  light(gain: Gain | null): void;
  /** The light lies elsewhere: in fractions of the photo. */
  move(left: number, top: number): void;
  detail(near: Near): void;
  /** @returns how many pixels were worked out. */
  draw(frame: Frame): number;
  /** Wait until what was asked is drawn. */
  finished(): Promise<void>;
}

/** @param lost called when the GPU has given up: this canvas is then of no use any more. */
export function createCompositor(canvas: Canvas, lost: () => void): Compositor {
  const options = { alpha: true, premultipliedAlpha: false, preserveDrawingBuffer: true };
  const gl = canvas.getContext("webgl2", options) as WebGL2RenderingContext | null;
  if (gl === null) return new PlainCompositor(canvas);
  const events: EventTarget = canvas; // both kinds have these events, but no common type says so
  events.addEventListener("webglcontextlost", lost, { once: true });
  return new WebGLCompositor(canvas, gl);
}

/** Resolves once this thread has a GPU to draw with, or after a while without. */
export async function gpuIsBack(): Promise<void> {
  for (let k = 0; k < TRIES; k++) {
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
    if (gl !== null && !gl.isContextLost()) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** How often, and after how many milliseconds each, a lost GPU is looked for. */
const [TRIES, PAUSE] = [40, 250];

const [PREVIEW, CHANGE, DETAIL] = [0, 1, 2];
const UNIFORMS = ["box", "exact", "level", "part", "rows", "size", "split", "view"] as const;
/** How much finer than the screen the preview's copy is, in halvings: rather sharp than soft. */
const FINER = 0.25;
/** Milliseconds between looks whether the GPU is done. */
const POLL = 3;

class WebGLCompositor implements Compositor {
  private uniforms: Partial<Record<string, WebGLUniformLocation | null>> = {};
  /** The photo's columns and rows, and the columns that its picture has. */
  private size: { columns: number; rows: number; shown: number } | null = null;
  private gain: Gain | null = null;
  private near: Near | null = null;
  /** What the canvas shows but for the light, and where that light was. */
  private drawn: { readonly frame: Frame; readonly gain: Gain | null } | null = null;

  constructor(
    private readonly canvas: Canvas,
    private readonly gl: WebGL2RenderingContext,
  ) {
    this.prepare();
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

  private fill(unit: number, { columns, rows, data }: Picture): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, columns, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    this.drawn = null;
  }

  show({ picture, columns, rows }: Shown): void {
    const { gl } = this;
    this.size = { columns, rows, shown: picture.columns };
    this.near = null;
    this.fill(PREVIEW, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    this.light(null);
  }

  roll(picture: ImageBitmap): void {
    const { gl } = this;
    this.size = { columns: picture.width, rows: picture.height, shown: picture.width };
    gl.activeTexture(gl.TEXTURE0 + PREVIEW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    this.drawn = null;
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

  detail(near: Near): void {
    this.near = near;
    this.fill(DETAIL, near.picture);
  }

  draw(frame: Frame): number {
    const { x, y, scale, width, height, split } = frame;
    const { gl, uniforms, canvas, size, gain, near, drawn } = this;
    if (size === null || gl.isContextLost()) return 0;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    gl.viewport(0, 0, width, height);
    // Where only the light has changed, only where it falls or fell is worked out anew.
    const isSame = drawn !== null && isAlike(drawn.frame, frame);
    const everything = { left: 0, top: 0, width: 1, height: 1 };
    const places = isSame ? [gain, drawn.gain].filter((one) => one !== null) : [everything];
    this.drawn = { frame, gain };
    if (!isSame) {
      gl.disable(gl.SCISSOR_TEST);
      gl.clear(gl.COLOR_BUFFER_BIT);
    }
    if (places.length === 0) return 0;
    const [columns, rows] = [size.columns * scale, size.rows * scale];
    const within = (value: number, limit: number): number => Math.min(limit, Math.max(0, value));
    const left = within(Math.floor(x + columns * Math.min(...places.map((one) => one.left))) - 1, width);
    const top = within(Math.floor(y + rows * Math.min(...places.map((one) => one.top))) - 1, height);
    const right = Math.max(...places.map((one) => one.left + one.width));
    const bottom = Math.max(...places.map((one) => one.top + one.height));
    const wide = within(Math.ceil(x + columns * right) + 1, width) - left;
    const high = within(Math.ceil(y + rows * bottom) + 1, height) - top;
    if (wide <= 0 || high <= 0) return 0;
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(left, height - top - high, wide, high);
    const shrunk = size.shown / columns;
    const level = Math.max(0, Math.round(Math.log2(shrunk) - FINER));
    const box = gain === null ? [0, 0, 1, 1] : [gain.left, gain.top, gain.width, gain.height];
    const part = near?.part ?? { left: 0, top: 0, columns: 0, rows: 0 };
    const set = (name: (typeof UNIFORMS)[number]): WebGLUniformLocation | null =>
      uniforms[name] ?? null;
    gl.uniform4fv(set("box"), box);
    gl.uniform4f(set("part"), part.left, part.top, part.columns, part.rows);
    gl.uniform2f(set("size"), size.columns, size.rows);
    gl.uniform3f(set("view"), x, y, scale);
    gl.uniform1f(set("rows"), height);
    gl.uniform1f(set("level"), level);
    gl.uniform1f(set("split"), Math.min(split, width));
    gl.uniform1i(set("exact"), scale === 1 && Number.isInteger(x) && Number.isInteger(y) ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    return wide * high;
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

function isAlike(one: Frame, other: Frame): boolean {
  const names = ["x", "y", "scale", "width", "height", "split"] as const;
  return names.every((name) => one[name] === other[name]);
}
