// SPDX-License-Identifier: Apache-2.0
/** What one look at a face tells; enough to try many lights without looking again. */
import { analysis as constants } from "../constants.json";
import { linearized, luminance } from "../color";
import type { Perception } from "../face/perception";
import type { Environment } from "../environment";
import type { Face } from "../face/face";
import type { Outline } from "../gain/guide";
import type { Raster, Pixels } from "../image/raster";
import { estimateLighting, estimateNormals, gainInputs, type GainInputs, type Networks } from "./stages";
import { meanIrradiance } from "./shading";
import { look, type View } from "./view";

const { SKIN } = constants;
const [LEAST_PEAK, PEAK_PERCENT, UNKNOWN_PEAK, WHITE] = [1e-3, 95, 0.5, 1.1];

/** In the crop's frame: the camera frame turned so that the head is upright. */
export interface Analysis {
  readonly face: Face;
  readonly view: View;
  readonly cropEnvironment: Environment;
  readonly normals: Raster;
  readonly confidence: Raster;
  /** Brightness of the existing light on the visible face: what a key of intensity 1 equals. */
  readonly meanIrradiance: number;
  /** Largest intensity of a key that burns no highlights. */
  readonly headroom: number;
  readonly inputs: GainInputs;
}

/** Estimate normals and existing light around a face. */
export async function analyze(
  perception: Perception,
  networks: Networks,
  pixels: Pixels,
  face: Face,
): Promise<Analysis> {
  return analyzeView(networks, face, await look(perception, pixels, face));
}

/** The same from what is seen of the face. */
export async function analyzeView(networks: Networks, face: Face, view: View): Promise<Analysis> {
  const { normals, confidence } = await estimateNormals(networks, view);
  const environment = await estimateLighting(networks, view, normals);
  return {
    face,
    view,
    cropEnvironment: environment,
    normals,
    confidence,
    meanIrradiance: meanIrradiance(environment, normals, view.mesh.mask),
    headroom: headroom(view),
    inputs: await gainInputs(networks, view, normals, environment, face.crop.roll),
  };
}

/** Where a light on this face may fall. */
export function outlineOf({ face, view, confidence }: Analysis): Outline {
  const inner = view.innerFace;
  const trusted = confidence.zip(inner, Math.max); // doubt outside must not reach the face
  return { crop: face.crop, person: view.outline, face: inner, confidence: trusted };
}

/** The light already there, camera frame. */
export function environmentOf({ cropEnvironment, face }: Analysis): Environment {
  return cropEnvironment.roll(face.crop.roll);
}

/** Largest intensity of a key that burns no highlights, from the skin's brightest parts. */
function headroom(view: View): number {
  const linear = linearized(view.photo).data;
  const bright: number[] = [];
  view.skin.data.forEach((trust, i) => {
    const [r, g, b] = linear.subarray(i * 3, i * 3 + 3);
    if (trust > SKIN) bright.push(luminance(r, g, b));
  });
  bright.sort((a, b) => a - b);
  const rank = (PEAK_PERCENT / 100) * (bright.length - 1);
  const low = Math.floor(rank);
  const part = bright[low] + ((bright[low + 1] ?? bright[low]) - bright[low]) * (rank - low);
  const peak = bright.length > 0 ? part : UNKNOWN_PEAK;
  return Math.max(0, WHITE / Math.max(peak, LEAST_PEAK) - 1);
}
