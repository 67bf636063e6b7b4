// SPDX-License-Identifier: Apache-2.0
/** A light that is added: where it stands, how strong it is, its colour, softness and gloss. */
import { angles, direction, RADIAN, rolled, type Vector } from "./geometry";

/** Angles in degrees, colour linear RGB, as in Python. */
export interface Light {
  azimuth_deg: number;
  elevation_deg: number;
  intensity: number;
  color: Vector;
  softness_deg: number;
  /** Factor on the highlights that it makes on skin and hair: 1 as estimated, 0 matte. */
  gloss: number;
}

export const WHITE: Vector = [1, 1, 1];

export function towards(light: Light): Vector {
  return direction(light.azimuth_deg * RADIAN, light.elevation_deg * RADIAN);
}

/** A light turned about the camera's axis, clockwise as the viewer sees it, by radians. */
export function rolledLight(light: Light, angle: number): Light {
  if (angle === 0) return light;
  const [azimuth, elevation] = angles(rolled(towards(light), angle));
  return { ...light, azimuth_deg: azimuth / RADIAN, elevation_deg: elevation / RADIAN };
}
