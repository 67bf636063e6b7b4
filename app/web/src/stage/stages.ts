// SPDX-License-Identifier: Apache-2.0
/** The estimates behind a relit face, as the networks make them. */
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
import { SIDE, type View } from "./view";

const { LOG_RANGE, TRUSTED, TRUST_BLUR } = constants;
const { SHINE } = shares;

/** Runs a network: inputs and outputs by name. */
export interface Networks {
  run(name: "normals" | "lighting" | "shading" | "key", inputs: Arrays): Promise<Arrays>;
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
  const found = await networks.run("normals", { photo: view.finePhoto.data, mesh });
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
  const { log_environment: logs } = await networks.run("lighting", inputs);
  const radiance = logs.map((value) => Math.exp(clamp(value, LOG_RANGE[0], LOG_RANGE[1])));
  return new Environment(new Raster(map.HEIGHT, map.WIDTH, 3, radiance));
}

/** Logarithm of the shading that the light already there makes, three channels. */
export async function estimateShading(
  networks: Networks,
  view: View,
  surface: Raster,
  environment: Environment,
): Promise<Float32Array> {
  return (await networks.run("shading", shadingInputs(view, surface, environment))).log_shading;
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
  const { key } = await networks.run("key", keyInputs(inputs, light));
  return quotient(inputs, key, SHINE * light.gloss);
}
