// SPDX-License-Identifier: Apache-2.0
/**
 * Applying the key gain: `Y = X (1 + sum_i k_i c_i G_i)` in linear light, with a highlight shoulder.
 *
 * The compositor's shader is the same formula; this one serves full resolution.
 */
import { apply as constants, environment as map, shading as shadingConstants } from "./constants.json";
import { encodedGain, luminance, OFFSET } from "./color";
import { Environment } from "./environment";
import { direction, type Vector } from "./geometry";
import { clamp, Pixels, Raster } from "./raster";

const { KNEE, PALING } = constants;
const { SHADING_LIMIT } = shadingConstants;

/** Gain on cells over part of a photo, zero elsewhere. */
export interface GainMap {
  readonly left: number;
  readonly top: number;
  /** Pixels of the photo per cell. */
  readonly factor: number;
  readonly gain: Raster;
}

/** 0 below `low`, 1 above `high`, a smooth cubic between them. */
export function smoothstep(x: number, low: number, high: number): number {
  const t = clamp((x - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
}

/** Light visibility map `max(0, n.l)` of Lambert's law. */
export function visibility(normals: Raster, light: Vector): Raster {
  const result = new Raster(normals.rows, normals.columns, 1);
  const [x, y, z] = light;
  for (let i = 0, k = 0; i < result.data.length; i++, k += 3) {
    const cosine = normals.data[k] * x + normals.data[k + 1] * y + normals.data[k + 2] * z;
    result.data[i] = Math.max(cosine, 0);
  }
  return result;
}

/** How bright the light already there makes a white surface, in logarithms against the face's mean. */
export function shading(environment: Environment, normals: Raster, face: Raster): Raster {
  const { HEIGHT, WIDTH } = map;
  const lit = new Raster(HEIGHT, WIDTH, 3);
  for (let i = 0; i < HEIGHT * WIDTH; i++) {
    const azimuth = (0.5 - ((i % WIDTH) + 0.5) / WIDTH) * 2 * Math.PI;
    const elevation = (0.5 - (Math.floor(i / WIDTH) + 0.5) / HEIGHT) * Math.PI;
    lit.data.set(environment.irradiance(direction(azimuth, elevation)), i * 3);
  }
  const table = new Environment(lit);
  const result = new Raster(normals.rows, normals.columns, 3);
  let [total, count] = [0, 0];
  for (let i = 0; i < face.data.length; i++) {
    const [x, y, z] = normals.data.subarray(i * 3, i * 3 + 3);
    const irradiance = table.sample([x, y, z]);
    result.data.set(irradiance, i * 3);
    if (face.data[i] > 0) {
      total += luminance(...irradiance);
      count += 1;
    }
  }
  const mean = Math.max(count > 0 ? total / count : meanLuminance(lit), 1e-6);
  for (let i = 0; i < face.data.length; i++) {
    const [x, y, z] = normals.data.subarray(i * 3, i * 3 + 3);
    const inside = x * x + y * y + z * z;
    for (let k = i * 3; k < i * 3 + 3; k++) {
      const relative = Math.log(Math.max(result.data[k], 1e-6) / mean);
      result.data[k] = clamp(relative, -SHADING_LIMIT, SHADING_LIMIT) * inside;
    }
  }
  return result;
}

function meanLuminance(image: Raster): number {
  let total = 0;
  for (let i = 0; i < image.data.length; i += 3) {
    total += luminance(image.data[i], image.data[i + 1], image.data[i + 2]);
  }
  return total / (image.data.length / 3);
}

/**
 * Multiply a photo by `1 + added` in linear light, in place; alpha stays.
 *
 * A pixel whose gain is 0 keeps its value exactly; highlights bend towards white.
 */
export function apply(photo: Pixels, added: GainMap): void {
  const { gain, factor, left, top } = added;
  const linear = gain.map((value) => 1 + value);
  const encoded = linear.map(encodedGain);
  const width = gain.columns * 3;
  const lines = { linear: new Float32Array(width), encoded: new Float32Array(width) };
  const bottom = Math.min(photo.rows, top + gain.rows * factor);
  const right = Math.min(photo.columns, left + gain.columns * factor);
  const pixel = new Float32Array(3);
  for (let y = top; y < bottom; y++) {
    const v = (y - top + 0.5) / factor - 0.5;
    blendRows(linear, v, lines.linear);
    blendRows(encoded, v, lines.encoded);
    for (let x = left; x < right; x++) {
      const u = (x - left + 0.5) / factor - 0.5;
      const floor = Math.floor(u);
      const a = clamp(floor, 0, gain.columns - 1) * 3;
      const b = clamp(floor + 1, 0, gain.columns - 1) * 3;
      const t = u - floor;
      const at = (y * photo.columns + x) * 4;
      let lit = false;
      for (let c = 0; c < 3; c++) {
        const g = lines.linear[a + c] + (lines.linear[b + c] - lines.linear[a + c]) * t;
        const h = lines.encoded[a + c] + (lines.encoded[b + c] - lines.encoded[a + c]) * t;
        const before = photo.rgba[at + c] / 255;
        lit ||= g > 1;
        pixel[c] = Math.min(before * g, (before + OFFSET) * h - OFFSET);
      }
      if (!lit) continue;
      bend(photo.rgba, at, pixel);
      for (let c = 0; c < 3; c++) photo.rgba[at + c] = Math.floor(pixel[c] * 255 + 0.5);
    }
  }
}

/** A row between two of a raster's, bilinear, edges repeated. */
function blendRows(image: Raster, v: number, into: Float32Array): void {
  const floor = Math.floor(v);
  const width = into.length;
  const a = clamp(floor, 0, image.rows - 1) * width;
  const b = clamp(floor + 1, 0, image.rows - 1) * width;
  const t = v - floor;
  for (let i = 0; i < width; i++) {
    into[i] = image.data[a + i] + (image.data[b + i] - image.data[a + i]) * t;
  }
}

/** Compress a pixel above the knee; `rgba[at...]` is what it was, in bytes. */
function bend(rgba: Uint8ClampedArray, at: number, pixel: Float32Array): void {
  const peak = Math.max(pixel[0], pixel[1], pixel[2]);
  if (peak <= KNEE) return;
  const brightest = Math.max(rgba[at], rgba[at + 1], rgba[at + 2]) / 255;
  const knee = Math.max(brightest, KNEE);
  const over = Math.max(peak - knee, 0);
  const room = 1 - knee;
  const pressed = over / (over + room + 1e-6); // 0 at the knee, towards 1 far above it
  const bent = Math.min(peak, knee) + room * pressed;
  const paling = (PALING * over) / (over + 1 - KNEE);
  for (let c = 0; c < 3; c++) {
    const after = pixel[c] * (bent / peak);
    pixel[c] = Math.max(after + (bent - after) * paling, rgba[at + c] / 255); // light never darkens
  }
}
