// SPDX-License-Identifier: Apache-2.0
/** The three estimates behind a relit face, as the networks make them. */
import { environment as map, stages as constants } from "../constants.json";
import { Environment } from "../environment";
import { gaussianBlur } from "../image/filter";
import { RADIAN, rolled, smoothstep } from "../geometry";
import { towards, type Light } from "../light";
import type { Arrays } from "../models/library";
import type { Surface } from "../face/mesh";
import { shading } from "./shading";
import { clamp, Raster } from "../image/raster";
import { lightVisibility } from "./cast_shadow";
import { SIDE, type View } from "./view";

const { GREY, LOG_RANGE, TRUSTED, TRUST_BLUR } = constants;

/** Runs a network: inputs and outputs by name. */
export interface Networks {
  run(name: "normals" | "lighting" | "quotient", inputs: Arrays): Promise<Arrays>;
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

/** What the quotient network is given of a face, whatever the light. */
export interface GainInputs {
  readonly photo: Raster;
  readonly mesh: Surface;
  readonly normals: Raster;
  readonly shading: Raster;
  /** Of the crop: lights are given in camera frame. */
  readonly roll: number;
  /** Whether the photo is grey: then it stays so. */
  readonly grey: boolean;
}

export function gainInputs(
  view: View,
  normals: Raster,
  environment: Environment,
  roll: number,
): GainInputs {
  const onPerson = normals.weighted(view.person);
  return {
    photo: view.finePhoto,
    mesh: view.mesh,
    normals: onPerson,
    shading: shading(environment, onPerson, view.mesh.mask),
    roll,
    grey: isGrey(view.photo),
  };
}

/** Whether no pixel's channels differ by as much as GREY. */
function isGrey({ data }: Raster): boolean {
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = data.subarray(i, i + 3);
    if (Math.max(r, g, b) - Math.min(r, g, b) >= GREY) return false;
  }
  return true;
}

/** Key gain G of a light, camera frame, for unit intensity and white light. */
export async function keyGain(
  networks: Networks,
  inputs: GainInputs,
  light: Light,
): Promise<Raster> {
  const direction = rolled(towards(light), -inputs.roll);
  const radius = light.softness_deg * RADIAN;
  const { gain } = await networks.run("quotient", {
    photo: inputs.photo.data,
    normals: inputs.normals.data,
    shading: inputs.shading.data,
    visibility: lightVisibility(inputs.mesh, inputs.normals, direction, radius).data,
    light: new Float32Array([...direction, radius]),
  });
  const mean = (i: number): number => (gain[i] + gain[i + 1] + gain[i + 2]) / 3;
  const used = inputs.grey ? gain.map((_, i) => mean(i - (i % 3))) : gain;
  return new Raster(SIDE, SIDE, 3, used);
}
