// SPDX-License-Identifier: Apache-2.0
/**
 * The key gain as a quotient, G = K / S: what a key light does, over the light already there. K comes
 * from the face's shape and the key alone, S from the photo alone.
 */
import { linearized } from "../color";
import { quotient as constants } from "../constants.json";
import type { Environment } from "../environment";
import { reflect } from "../face/mirror";
import { normalizeTriples } from "../geometry";
import { Raster } from "../image/raster";
import type { Arrays } from "../models/library";
import { belief, meanIrradiance, shading } from "./shading";
import { SIDE, type View } from "./view";

const { FLOOR, GREY } = constants;

/** The light already there on a face, as the gain of any key needs it. */
export interface Existing {
  /** Normals, 0 outside the person. */
  readonly surface: Raster;
  /** What diffuse light of a key counts for: 1 / S. */
  readonly lift: Raster;
  /** What gloss counts for: radiance of a white surface in the mean light over the photo's. */
  readonly shine: Raster;
}

/**
 * Key gain G.
 *
 * @param key diffuse shading under a key of unit irradiance and gloss over the radiance of a white
 *   surface facing it, interleaved.
 * @param gloss factor on the gloss.
 */
export function quotient({ lift, shine }: Existing, key: Float32Array, gloss: number): Raster {
  return lift.map((value, i) => {
    const at = 2 * Math.floor(i / 3);
    return key[at] * value + gloss * key[at + 1] * shine.data[i];
  });
}

/** What any key needs to know of the light already there, from the logarithm of its shading. */
export function existing(
  view: View,
  surface: Raster,
  environment: Environment,
  logShading: Float32Array,
): Existing {
  return existingAt(view, surface, meanIrradiance(environment, surface, view.mesh.mask), logShading);
}

/** The same where the mean irradiance over pi on the face is known already: `level`. */
export function existingAt(
  view: View,
  surface: Raster,
  level: number,
  logShading: Float32Array,
): Existing {
  const mean = (i: number): number => (logShading[i] + logShading[i + 1] + logShading[i + 2]) / 3;
  const grey = isGrey(view.photo); // then it stays so
  const used = grey ? logShading.map((_, i) => mean(i - (i % 3))) : logShading;
  return {
    surface,
    lift: new Raster(SIDE, SIDE, 3, used.map((value) => Math.exp(-value))),
    shine: linearized(view.photo).map((value) => level / Math.max(value, FLOOR)),
  };
}

/** What the shading network is told of a face, by name. */
export function shadingInputs(view: View, surface: Raster, environment: Environment): Arrays {
  const face = view.mesh.mask;
  const lit = shading(environment, surface, face);
  const { images } = view;
  const seen = new Raster(SIDE, SIDE, 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [r, g, b] = lit.data.subarray(i * 3, i * 3 + 3);
    seen.data.set(view.photo.data.subarray(i * 3, i * 3 + 3), i * 4);
    seen.data[i * 4 + 3] = (r + g + b) / 3;
  }
  const other = reflect(seen, images);
  const mirrored = new Float32Array(SIDE * SIDE * 5);
  for (let i = 0; i < SIDE * SIDE; i++) {
    mirrored.set(other.data.subarray(i * 4, i * 4 + 4), i * 5);
    mirrored[i * 5 + 4] = images.trust.data[i];
  }
  return {
    photo: view.photo.data,
    mirrored,
    normals: surface.data,
    shading: lit.data,
    face: face.data,
    belief: new Float32Array([belief(lit, face)]),
  };
}

/** Normals between estimated ones and the mesh's, 0 outside the person. */
export function between(view: Pick<View, "mesh" | "person">, normals: Raster): Raster {
  const found = view.mesh.normals.zip(normals, (a, b) => a + b);
  normalizeTriples(found.data);
  return found.weighted(view.person);
}

/** Whether no pixel's channels differ by as much as GREY. */
export function isGrey({ data }: Raster): boolean {
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = data.subarray(i, i + 3);
    if (Math.max(r, g, b) - Math.min(r, g, b) >= GREY) return false;
  }
  return true;
}
