// SPDX-License-Identifier: Apache-2.0
/** What one look at a face tells; enough to try many lights without looking again. */
import type { Perception } from "../face/perception";
import type { Environment } from "../environment";
import type { Face } from "../face/face";
import type { FaceGain, Outline } from "../gain/guide";
import { rolled } from "../geometry";
import type { Pixels, Raster } from "../image/raster";
import { towards, type Light } from "../light";
import { bodyGain, bodyOf, layerOf, lookBelow, type Body } from "./body";
import type { Look } from "./silhouette";
import {
  estimateLighting,
  estimateNormals,
  gainInputs,
  keyGain,
  type GainInputs,
  type Networks,
} from "./stages";
import { meanIrradiance } from "./shading";
import { look, type View } from "./view";

/** In the crop's frame: the camera frame turned so that the head is upright. */
export interface Analysis {
  readonly face: Face;
  readonly view: View;
  readonly cropEnvironment: Environment;
  readonly normals: Raster;
  readonly confidence: Raster;
  /** Brightness of the existing light on the visible face: what a key of intensity 1 equals. */
  readonly meanIrradiance: number;
  readonly inputs: GainInputs;
  /** Probability of a person on the crop, by all that is seen of them. */
  readonly person: Raster;
  /** What is known of the body below the face; null where the photo shows none. */
  readonly body: Body | null;
}

/** Estimate normals and existing light around a face. */
export async function analyze(
  perception: Perception,
  networks: Networks,
  pixels: Pixels,
  face: Face,
): Promise<Analysis> {
  const view = await look(perception, pixels, face);
  return analyzeView(networks, face, view, await lookBelow(perception, pixels, face));
}

/** The same from what is seen of the face and below it. */
export async function analyzeView(
  networks: Networks,
  face: Face,
  view: View,
  below: Look | null,
): Promise<Analysis> {
  const { normals, confidence } = await estimateNormals(networks, view);
  const environment = await estimateLighting(networks, view, normals);
  return {
    face,
    view,
    cropEnvironment: environment,
    normals,
    confidence,
    meanIrradiance: meanIrradiance(environment, normals, view.mesh.mask),
    inputs: await gainInputs(networks, view, normals, environment, face.crop.roll),
    ...bodyOf(below, face.crop, { view, normals, confidence, environment }),
  };
}

/** Key gain G of a light, camera frame, for unit intensity and white light. */
export async function faceGain(
  networks: Networks,
  { face, inputs, body }: Pick<Analysis, "inputs" | "body"> & { face: Pick<Face, "crop"> },
  light: Light,
): Promise<FaceGain> {
  const head = await keyGain(networks, inputs, light);
  if (body === null) return { head, body };
  return bodyGain(body, face.crop, head, rolled(towards(light), -face.crop.roll));
}

/** What tells where light on a face may fall. */
export interface Outlined extends Pick<Analysis, "confidence" | "person" | "body"> {
  readonly face: Pick<Face, "crop">;
  readonly view: Pick<View, "innerFace">;
}

/** Where a light on this face may fall. */
export function outlineOf({ face, view, confidence, person, body }: Outlined): Outline {
  const inner = view.innerFace;
  const head = { crop: face.crop, person, face: inner };
  if (body !== null) return { ...head, confidence: body.onHead, body: layerOf(body) };
  // Doubt outside must not reach the face.
  return { ...head, confidence: confidence.zip(inner, Math.max), body };
}

/** The light already there, camera frame. */
export function environmentOf({
  cropEnvironment,
  face,
}: Pick<Analysis, "cropEnvironment" | "face">): Environment {
  return cropEnvironment.roll(face.crop.roll);
}
