// SPDX-License-Identifier: Apache-2.0
/** Where a key stands: the automatic one, and those of the patterns. */
import { direction as constants, light as lights } from "../constants.json";
import { angles, direction, RADIAN, smoothstep, times, type Matrix } from "../geometry";
import { clamp } from "../image/raster";
import { WHITE, type Light } from "../light";
import { leanOf, type Reading } from "./reading";
import type { Recipe } from "./recipe";

const { AZIMUTH_DEG, AZIMUTHS_DEG, ELEVATION_DEG, ELEVATIONS_DEG, FAVOURED } = constants;
const { LEAN_DEG, LOWEST_DEG, SHORT_DEG, SOFTNESS_DEG, WIDEST_DEG } = constants;

/**
 * The side that the key belongs on: +1 image right, -1 image left. The side that the existing light
 * favours, if it does; else the short side, which the nose points to.
 */
export function sideOf(reading: Reading): number {
  let lean = leanOf(reading);
  if (Math.abs(lean) < FAVOURED) lean += reading.yaw_deg / SHORT_DEG;
  return lean > 0 ? 1 : -1;
}

/** The automatic key, of unit intensity, for an upright head. */
export function automaticKey(reading: Reading): Light {
  const side = sideOf(reading);
  const azimuth = clamp(AZIMUTH_DEG + (side * reading.yaw_deg) / 2, AZIMUTHS_DEG[0], AZIMUTHS_DEG[1]);
  const elevation = clamp(ELEVATION_DEG + reading.pitch_deg, ELEVATIONS_DEG[0], ELEVATIONS_DEG[1]);
  return unitLight(side * azimuth, elevation, SOFTNESS_DEG);
}

/**
 * The lights of a pattern, of unit intensity or less, in the frame of a head's pose.
 *
 * @param side +1 image right, -1 image left.
 */
export function patternLights(recipe: Recipe, side: number, headPose: Matrix): Light[] {
  const azimuth = side * recipe.azimuth_deg;
  const key = headLight(azimuth, recipe.elevation_deg, headPose, recipe.softness_deg);
  key.elevation_deg = Math.max(key.elevation_deg, LOWEST_DEG);
  if (recipe.intensity === 0) key.azimuth_deg = clamp(key.azimuth_deg, -WIDEST_DEG, WIDEST_DEG);
  if (recipe.below === 0) return [key];
  const lower = headLight(azimuth, -recipe.elevation_deg, headPose, recipe.softness_deg);
  return [key, { ...lower, intensity: recipe.below }];
}

/** A light given as the head sees it: from the nose towards image right, and above the eyes. */
export function headLight(
  azimuthDeg: number,
  elevationDeg: number,
  headPose: Matrix,
  softnessDeg: number,
): Light {
  const own = direction(azimuthDeg * RADIAN, elevationDeg * RADIAN);
  const [azimuth, elevation] = angles(times(headPose, own));
  return unitLight(azimuth / RADIAN, elevation / RADIAN, softnessDeg);
}

/** A key in camera frame that does not stand below the eyes of a head that leans, by its roll. */
export function lifted(key: Light, roll: number): Light {
  const upright = 1 - smoothstep(Math.abs(roll) / RADIAN, LEAN_DEG[0], LEAN_DEG[1]);
  const missing = Math.max(LOWEST_DEG - key.elevation_deg, 0);
  return { ...key, elevation_deg: key.elevation_deg + upright * missing };
}

function unitLight(azimuth_deg: number, elevation_deg: number, softness_deg: number): Light {
  const { GLOSS } = lights;
  return { azimuth_deg, elevation_deg, intensity: 1, color: WHITE, softness_deg, gloss: GLOSS };
}
