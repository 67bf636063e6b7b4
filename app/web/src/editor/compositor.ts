// SPDX-License-Identifier: Apache-2.0
/** The preview on the GPU: photo times gain, with fill and highlight shoulder as in gain/apply.ts. */
import { apply as shoulder, color } from "../constants.json";
import type { Gain } from "../worker/protocol";
import { apply } from "../gain/apply";
import { Pixels, Raster } from "../image/raster";

const number = (value: number): string => value.toExponential(8);

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D photo;
uniform sampler2D change; // added to red, green and blue; taken away
uniform ivec4 box; // left, top, columns and rows of the change
uniform float rows;
uniform float split; // left of this column the photo is shown as it was
out vec4 color;
const float KNEE = ${number(shoulder.KNEE)};
const float CEILING = ${number(shoulder.CEILING)};
const float LIFT = ${number(shoulder.LIFT)};
const float TINY = ${number(shoulder.TINY)};
const float OFFSET = ${number(color.OFFSET)};
float brightest(vec3 c) { return max(max(c.r, c.g), c.b); }
vec3 scaled(vec3 value, vec3 factor) {
  vec3 straight = value * factor;
  vec3 curved = (value + OFFSET) * pow(factor, vec3(${number(1 / color.GAMMA)})) - OFFSET;
  return mix(max(straight, curved), min(straight, curved), greaterThanEqual(factor, vec3(1.0)));
}
void main() {
  ivec2 at = ivec2(gl_FragCoord.x, rows - gl_FragCoord.y);
  vec4 texel = texelFetch(photo, at, 0);
  color = texel;
  ivec2 cell = at - box.xy;
  bool outside = any(lessThan(cell, ivec2(0))) || any(greaterThanEqual(cell, box.zw));
  if (outside || gl_FragCoord.x < split) return;
  vec4 changed = texelFetch(change, cell, 0);
  if (changed == vec4(0.0)) return;
  float kept = 1.0 - changed.a;
  vec3 before = scaled(texel.rgb, vec3(kept));
  vec3 after = scaled(texel.rgb, min(kept + changed.rgb, vec3(LIFT)));
  float peak = brightest(after);
  if (peak > KNEE) {
    float knee = max(brightest(before), KNEE);
    float over = max(peak - knee, 0.0);
    float room = max(CEILING - knee, 0.0);
    float bent = min(peak, knee) + room * over / (over + room + TINY);
    after = max(after * (bent / peak), before);
  }
  color = vec4(after, texel.a);
}`;

/** Draws a photo with light added on a canvas of the photo's size. */
export interface Compositor {
  show(photo: ImageData): void;
  light(gain: Gain | null): void;
  /** @param split column left of which the photo is shown as it was; Infinity for all of it. */
  draw(split: number): void;
  /** Wait until what was asked is drawn: for measurements. */
  finish(): void;
}

/** On the GPU where there is WebGL 2, else on the CPU. */
export function createCompositor(canvas: HTMLCanvasElement): Compositor {
  const options = { alpha: true, premultipliedAlpha: false, preserveDrawingBuffer: true };
  const gl = canvas.getContext("webgl2", options) as WebGL2RenderingContext | null;
  return gl === null ? new PlainCompositor(canvas) : new WebGLCompositor(canvas, gl);
}

class WebGLCompositor implements Compositor {
  private readonly uniforms: Record<"box" | "rows" | "split", WebGLUniformLocation | null>;
  private box: [number, number, number, number] = [0, 0, 0, 0];

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind) as WebGLShader;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(`The GPU refused the page's program: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    const uniform = (name: string): WebGLUniformLocation | null =>
      gl.getUniformLocation(program, name);
    this.uniforms = { box: uniform("box"), rows: uniform("rows"), split: uniform("split") };
    for (const unit of [0, 1]) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    }
    gl.uniform1i(uniform("photo"), 0);
    gl.uniform1i(uniform("change"), 1);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  show(photo: ImageData): void {
    const { gl, canvas } = this;
    [canvas.width, canvas.height] = [photo.width, photo.height];
    gl.viewport(0, 0, photo.width, photo.height);
    gl.activeTexture(gl.TEXTURE0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, photo);
    this.light(null);
  }

  light(gain: Gain | null): void {
    const { gl } = this;
    this.box = gain === null ? [0, 0, 0, 0] : [gain.left, gain.top, gain.columns, gain.rows];
    gl.activeTexture(gl.TEXTURE1);
    const [columns, rows, data] =
      gain === null ? [1, 1, new Float32Array(4)] : [gain.columns, gain.rows, gain.data];
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, columns, rows, 0, gl.RGBA, gl.FLOAT, data);
  }

  draw(split: number): void {
    const { gl, uniforms, canvas } = this;
    gl.uniform4i(uniforms.box, ...this.box);
    gl.uniform1f(uniforms.rows, canvas.height);
    gl.uniform1f(uniforms.split, Math.min(split, canvas.width));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  finish(): void {
    const { gl } = this;
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}

class PlainCompositor implements Compositor {
  private photo: ImageData | null = null;
  private relit: ImageData | null = null;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  show(photo: ImageData): void {
    [this.canvas.width, this.canvas.height] = [photo.width, photo.height];
    this.photo = this.relit = photo;
  }

  light(gain: Gain | null): void {
    if (this.photo === null) return;
    this.relit = this.photo;
    if (gain === null) return;
    const { width, height, data } = this.photo;
    const pixels = new Pixels(height, width, data.slice() as Uint8ClampedArray<ArrayBuffer>);
    const { left, top, rows, columns } = gain;
    const change = new Raster(rows, columns, 4, gain.data);
    const added = new Raster(rows, columns, 3);
    for (let i = 0; i < added.data.length; i++) added.data[i] = change.data[i + Math.floor(i / 3)];
    apply(pixels, { left, top, factor: 1, gain: added, dimming: change.channel(3) });
    this.relit = new ImageData(pixels.rgba, width, height);
  }

  draw(split: number): void {
    const context = this.canvas.getContext("2d");
    if (context === null || this.photo === null || this.relit === null) return;
    const { width, height } = this.photo;
    const column = Math.round(Math.min(split, width));
    context.putImageData(this.relit, 0, 0);
    if (column > 0) context.putImageData(this.photo, 0, 0, 0, 0, column, height);
  }

  finish(): void {
    this.canvas.getContext("2d")?.getImageData(0, 0, 1, 1);
  }
}
