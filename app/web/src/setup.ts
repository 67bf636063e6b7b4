// SPDX-License-Identifier: Apache-2.0
/**
 * The lights that are set up for a portrait, and their automatic placement: about 30 degrees above
 * the eyeline, 30 to 60 off the camera's axis, on the side that the existing light favours, at a
 * key-to-fill ratio of 2:1.
 */
import { luminance } from "./color";
import { environment as map, light as constants } from "./constants.json";
import { cheekNormals, type Environment } from "./environment";
import { faceSize } from "./face/face";
import { angles, dot, headAngles, RADIAN, type Matrix } from "./geometry";
import { clamp } from "./image/raster";
import { rolledLight, towards, WHITE, type Light } from "./light";
import type { Analysis } from "./stage/analysis";

const NOTHING = 1e-6;
const placement = {
  elevation_deg: 30,
  azimuth_deg: 45,
  azimuth_range_deg: [30, 60],
  elevation_range_deg: [20, 45],
  key_to_fill: 2,
  flat_ratio: 1.1,
  turned_deg: 5,
  max_intensity: 2,
};
const { SHADOW } = map;

export interface Setup {
  /** Lights that are added. */
  readonly lights: readonly Light[];
  /** Share of the existing light that stays on the person, in (0, 1]. */
  readonly fill: number;
  /** In one sentence, why the lights stand where they do; empty for the user's own. */
  readonly reason: string;
}

/** Names of the setups that can be asked for, beside the automatic one. */
export const PATTERNS: readonly string[] = [];
/** All of the existing light stays. */
export const FULL_FILL = 1;
const UNCHANGED: Setup = { lights: [], fill: FULL_FILL, reason: "" };

/** A light and, in one sentence, why it stands there. */
export interface Placed {
  readonly light: Light;
  readonly reason: string;
}

/** The setup that suits faces best: one key, all of the existing light kept; the largest first. */
export function suggest(analyses: readonly Analysis[]): Setup {
  const { light, reason } = placeGroup(
    analyses.map(placeOn),
    analyses.map(({ face }) => faceSize(face)),
    analyses[0].face.crop.roll,
  );
  return { lights: [light], fill: FULL_FILL, reason };
}

/** Place a key light on a face automatically; its intensity is 0 when none is needed. */
export function placeOn(analysis: Analysis): Placed {
  return place(
    analysis.cropEnvironment,
    analysis.face.cropPose,
    analysis.meanIrradiance,
    analysis.headroom,
    constants.SOFTNESS_DEG,
    analysis.face.crop.roll,
  );
}

/** Brighter over darker cheek of a face, as it is or under a setup. */
export function keyToFillOf(analysis: Analysis, setup: Setup = UNCHANGED): number {
  const { cropEnvironment, face, meanIrradiance } = analysis;
  const upright = setup.lights.map((light) => rolledLight(light, -face.crop.roll));
  return keyToFillWith(cropEnvironment, face.cropPose, upright, meanIrradiance, setup.fill);
}

/**
 * Brighter over darker cheek after lights are added, >= 1.
 *
 * @param kept share of the existing light that stays.
 */
export function keyToFillWith(
  environment: Environment,
  headPose: Matrix,
  lights: readonly Light[],
  meanIrradiance: number,
  kept = 1,
): number {
  const cheeks = cheekNormals(headPose);
  const lit = environment.cheeks(headPose).map((existing, i) =>
    lights.reduce((total, light) => {
      const strength = light.intensity * luminance(...light.color) * meanIrradiance;
      return total + strength * Math.max(dot(cheeks[i], towards(light)), 0);
    }, existing * kept),
  );
  return Math.max(...lit) / Math.max(Math.min(...lit), SHADOW);
}

/**
 * Place a key light as a portrait photographer would, who holds the camera as the head is.
 *
 * @param environment the existing light, in a frame where the head is upright.
 * @param headPose rotation head to that frame.
 * @param meanIrradiance brightness of the existing light on the visible face.
 * @param headroom largest intensity that burns no highlights.
 * @param softness of the light, degrees.
 * @param roll radians that the head leans by towards image right: the light is turned with it.
 */
export function place(
  environment: Environment,
  headPose: Matrix,
  meanIrradiance: number,
  headroom: number,
  softness: number,
  roll = 0,
): Placed {
  const [left, right] = environment.cheeks(headPose);
  const ratio = environment.keyToFill(headPose);
  const [yaw, pitch] = headAngles(headPose);
  const [side, azimuth, why] = chooseSide(environment, left, right, yaw);
  const [low, high] = placement.elevation_range_deg;
  const elevation = clamp(placement.elevation_deg + pitch, low, high);
  const light: Light = {
    azimuth_deg: side * azimuth,
    elevation_deg: elevation,
    intensity: 0,
    color: WHITE,
    softness_deg: softness,
    gloss: constants.GLOSS,
  };
  const turned = rolledLight(light, roll);
  const place = where(turned);
  if (ratio >= placement.key_to_fill) {
    const reason =
      `No light added: key-to-fill is ${ratio.toFixed(1)}:1 already;` +
      ` a key would stand ${place}, ${why}.`;
    return { light: turned, reason };
  }
  const normals = cheekNormals(headPose);
  const cheeks = normals.map((n) => Math.max(dot(n, towards(light)), 0) * meanIrradiance);
  const [key, fill] = side > 0 ? [1, 0] : [0, 1];
  const existing = [left, right];
  const gained = cheeks[key] - placement.key_to_fill * cheeks[fill];
  const missing = placement.key_to_fill * existing[fill] - existing[key];
  const wanted = gained > NOTHING ? missing / gained : placement.max_intensity;
  const limit = Math.min(placement.max_intensity, Math.max(headroom, 0));
  light.intensity = clamp(wanted, 0, limit);
  const after = keyToFillWith(environment, headPose, [light], meanIrradiance);
  const held =
    light.intensity >= wanted - NOTHING ? "" : "; held back to keep highlights from burning";
  const reason =
    `Key ${place}, ${why}; intensity ${light.intensity.toFixed(2)} takes key-to-fill` +
    ` from ${ratio.toFixed(1)}:1 to ${after.toFixed(1)}:1${held}.`;
  return { light: { ...turned, intensity: light.intensity }, reason };
}

/** Where a light stands, in words. */
function where({ azimuth_deg, elevation_deg }: Light): string {
  const side = azimuth_deg > 0 ? "right" : "left";
  const height = elevation_deg >= 0 ? "up" : "down";
  return (
    `${Math.abs(azimuth_deg).toFixed(0)}° to the image ${side}` +
    ` and ${Math.abs(elevation_deg).toFixed(0)}° ${height}`
  );
}

/** Side (+1 image right), degrees off the axis, and the reason in words. */
function chooseSide(
  environment: Environment,
  left: number,
  right: number,
  yaw: number,
): [number, number, string] {
  const [low, high] = placement.azimuth_range_deg;
  if (Math.max(left, right) >= placement.flat_ratio * Math.min(left, right)) {
    const side = right > left ? 1 : -1;
    const azimuth = (angles(environment.dominantDirection())[0] / RADIAN) * side;
    // Further out the further out the existing light stands, within the range.
    const aside = low + (clamp(azimuth, 0, high) / high) * (high - low);
    return [side, aside, "the side the existing light favours"];
  }
  if (Math.abs(yaw) > placement.turned_deg) {
    const azimuth = clamp(placement.azimuth_deg + Math.abs(yaw) / 2, low, high);
    const why = "the short side of the turned face, since the light is flat";
    return [yaw > 0 ? 1 : -1, azimuth, why];
  }
  return [-1, placement.azimuth_deg, "the customary side, since light and face are both frontal"];
}

/**
 * One light for several faces: directions and intensities averaged by face size.
 *
 * @param roll radians that the group leans by towards image right: its left and right are meant.
 */
export function placeGroup(
  placed: readonly Placed[],
  weights: readonly number[],
  roll = 0,
): Placed {
  if (placed.length === 1) return placed[0];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map((weight) => weight / total);
  // Keys on both sides would average to the front: the side with more weight wins.
  const lights = placed.map(({ light }) => rolledLight(light, -roll));
  const sides = lights.map(({ azimuth_deg }) => Math.sign(azimuth_deg));
  const chosen = share.reduce((sum, weight, i) => sum + weight * sides[i], 0) >= 0 ? 1 : -1;
  const vector = [0, 0, 0];
  let intensity = 0;
  lights.forEach((light, i) => {
    intensity += share[i] * light.intensity;
    if (sides[i] === chosen) towards(light).forEach((x, c) => (vector[c] += share[i] * x));
  });
  const [azimuth, elevation] = angles([vector[0], vector[1], vector[2]]);
  const upright: Light = {
    ...lights[0],
    azimuth_deg: azimuth / RADIAN,
    elevation_deg: elevation / RADIAN,
    intensity,
  };
  const light = rolledLight(upright, roll);
  const place = `${where(light)}, averaged over ${placed.length} faces by their size`;
  const reason =
    intensity === 0
      ? `No light added: no face needs one; a key would stand ${place}.`
      : `Key ${place}; intensity ${intensity.toFixed(2)}, the mean of what each face needs.`;
  return { light, reason };
}
