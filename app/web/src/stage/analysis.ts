// SPDX-License-Identifier: Apache-2.0
/** What one look at a face tells; enough to try many lights without looking again. */
import type { Perception } from "../face/perception";
import type { Environment } from "../environment";
import type { Face } from "../face/face";
import type { FaceGain, Outline } from "../gain/guide";
import { rolled } from "../geometry";
import type { Pixels, Raster } from "../image/raster";
import { towards, type Light } from "../light";
import { bodyGain, layerOf, lookAtBody, type Body, type Head } from "./body";
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
  return analyzeView(networks, face, view, (head) => lookAtBody(perception, pixels, face, head));
}

/** The same from what is seen of the face, and what then is seen of the body. */
export async function analyzeView(
  networks: Networks,
  face: Face,
  view: View,
  seeBody: (head: Head) => Promise<Body | null>,
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
    body: await seeBody({ view, normals, confidence, environment }),
  };
}

/** Key gain G of a light, camera frame, for unit intensity and white light. */
export async function faceGain(
  networks: Networks,
  { face, inputs, body }: Pick<Analysis, "inputs" | "body"> & { face: Pick<Face, "crop"> },
  light: Light,
): Promise<FaceGain> {
  const head = await keyGain(networks, inputs, light);
  const direction = rolled(towards(light), -face.crop.roll);
  return { head, body: body && bodyGain(body, face.crop, head, direction) };
}

/** What tells where light on a face may fall. */
export interface Outlined extends Pick<Analysis, "confidence" | "body"> {
  readonly face: Pick<Face, "crop">;
  readonly view: Pick<View, "innerFace" | "outline">;
}

/** Where a light on this face may fall. */
export function outlineOf({ face, view, confidence, body }: Outlined): Outline {
  const inner = view.innerFace;
  const trusted = confidence.zip(inner, Math.max); // doubt outside must not reach the face
  const head = { crop: face.crop, person: view.outline, face: inner, confidence: trusted };
  return { ...head, body: body && layerOf(body) };
}

/** The light already there, camera frame. */
export function environmentOf({
  cropEnvironment,
  face,
}: Pick<Analysis, "cropEnvironment" | "face">): Environment {
  return cropEnvironment.roll(face.crop.roll);
}
