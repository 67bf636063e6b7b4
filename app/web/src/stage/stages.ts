// SPDX-License-Identifier: Apache-2.0
/** The estimates behind a relit face, as the networks make them. */
import { linearized } from "../color";
import { environment as map, quotient as shares, stages as constants } from "../constants.json";
import { Environment } from "../environment";
import { gaussianBlur } from "../image/filter";
import { RADIAN, rolled, smoothstep } from "../geometry";
import { towards, type Light } from "../light";
import type { Arrays } from "../models/library";
import type { Surface } from "../face/mesh";
import { clamp, Raster } from "../image/raster";
import { unshadowed } from "./cast_shadow";
import { between, existing, quotient, shadingInputs, type Existing } from "./quotient";
import { fineShading } from "./fine_shading";
import { cast, skinColors, uncovered } from "./shading";
import { SIDE, type View } from "./view";

const { LOG_RANGE, SIDED, TRUSTED, TRUST_BLUR } = constants;
const { SHINE } = shares;

/** Runs a network: inputs and outputs by name. */
export interface Networks {
  run(name: Network, inputs: Arrays): Promise<Arrays>;
}

type Network = "normals" | "lighting" | "shading" | "key";

/** Channels of the networks' pictures where they are not three; lists are a single pixel, */
const CHANNELS: Record<string, number> = {
  belief: 1,
  confidence: 1,
  face: 1,
  key: 2,
  light: 4,
  mesh: 4,
  mirrored: 5,
  skin: 1,
  unshadowed: 1,
};
/** and columns of those that are not square. */
const COLUMNS: Record<string, number> = { log_environment: map.WIDTH };

/**
 * Outputs of a network.
 *
 * @param mirror whether it is to see the mirror image: see View. A moving light must not turn
 *   the face over for the other networks, nor the face a light.
 */
async function asked(
  networks: Networks,
  name: Network,
  inputs: Arrays,
  mirror: boolean,
): Promise<Arrays> {
  if (!mirror) return networks.run(name, inputs);
  return mirrored(await networks.run(name, mirrored(inputs)));
}

/** Inputs or outputs of a network, by name, as the mirror image has them. */
export function mirrored(arrays: Arrays): Arrays {
  const result: Arrays = {};
  for (const [name, values] of Object.entries(arrays)) {
    const channels = CHANNELS[name] ?? 3;
    const columns = COLUMNS[name] ?? Math.round(Math.sqrt(values.length / channels));
    const other = new Float32Array(values.length);
    for (let i = 0; i < values.length; i += channels) {
      const x = (i / channels) % columns;
      const from = i + (columns - 1 - 2 * x) * channels;
      for (let c = 0; c < channels; c++) other[i + c] = values[from + c];
      if (SIDED.includes(name)) other[i] *= -1;
    }
    result[name] = other;
  }
  return result;
}

/** Surface normals of the person, unit, in the crop's frame, and the trust in them, [0, 1]. */
export async function estimateNormals(
  networks: Networks,
  view: View,
): Promise<{ normals: Raster; confidence: Raster }> {
  const mesh = new Float32Array(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    mesh.set(view.mesh.normals.data.subarray(i * 3, i * 3 + 3), i * 4);
    mesh[i * 4 + 3] = view.mesh.mask.data[i];
  }
  const inputs = { photo: view.photo.data, mesh };
  const found = await asked(networks, "normals", inputs, view.isMirrored);
  const trust = new Raster(SIDE, SIDE, 1, found.confidence).map((quality) =>
    smoothstep(quality, TRUSTED[0], TRUSTED[1]),
  );
  const smooth = gaussianBlur(trust, TRUST_BLUR, "replicate");
  return {
    normals: new Raster(SIDE, SIDE, 3, found.normals),
    confidence: smooth.zip(view.person, (a, b) => a * b),
  };
}

/** The light already there, in the crop's frame. */
export async function estimateLighting(
  networks: Networks,
  view: View,
  normals: Raster,
): Promise<Environment> {
  const inputs = {
    photo: view.photo.data,
    normals: normals.weighted(view.person).data,
    skin: view.skin.data,
  };
  const { log_environment: logs } = await asked(networks, "lighting", inputs, view.isMirrored);
  const radiance = logs.map((value) => Math.exp(clamp(value, LOG_RANGE[0], LOG_RANGE[1])));
  return new Environment(new Raster(map.HEIGHT, map.WIDTH, 3, radiance));
}

/** Logarithm of the shading that the light already there makes, with its colour on skin. */
export async function estimateShading(
  networks: Networks,
  view: View,
  surface: Raster,
  environment: Environment,
): Promise<Float32Array> {
  const inputs = shadingInputs(view, surface, environment);
  const { log_shading: found } = await asked(networks, "shading", inputs, view.isMirrored);
  const [believed] = inputs.belief;
  const lit = new Raster(SIDE, SIDE, 3, inputs.shading.map((value) => believed * value));
  const linear = linearized(view.photo);
  const colors = skinColors(linear, view.skin);
  const color = cast(colors);
  const fine = fineShading(found, linear, view.images, view.mesh.mask, colors.other);
  return uncovered(fine, lit, colors).map((value, i) => value + color.data[i]);
}

/** What a key's gain needs of a face. */
export interface GainInputs extends Existing {
  readonly mesh: Surface;
  /** Of the crop: lights are given in camera frame. */
  readonly roll: number;
}

/** Finds the shading already there, once for all lights. */
export async function gainInputs(
  networks: Networks,
  view: View,
  normals: Raster,
  environment: Environment,
  roll: number,
): Promise<GainInputs> {
  const surface = between(view, normals);
  const found = await estimateShading(networks, view, surface, environment);
  return { ...existing(view, surface, environment, found), mesh: view.mesh, roll };
}

/** What the key network is told of a face and a light, camera frame. */
export function keyInputs({ mesh, roll, surface }: GainInputs, light: Light): Arrays {
  const direction = rolled(towards(light), -roll);
  const radius = light.softness_deg * RADIAN;
  return {
    normals: surface.data,
    unshadowed: unshadowed(mesh, direction, radius).data,
    face: mesh.mask.data,
    light: new Float32Array([...direction, radius]),
  };
}

/** Key gain G of a light, camera frame, for unit intensity and white light. */
export async function keyGain(networks: Networks, inputs: GainInputs, light: Light): Promise<Raster> {
  const told = keyInputs(inputs, light);
  const { key } = await asked(networks, "key", told, told.light[0] < 0);
  return quotient(inputs, key, SHINE * light.gloss);
}
