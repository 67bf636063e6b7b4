// SPDX-License-Identifier: Apache-2.0
/** One face of a photo: its landmarks, head pose and crop. */
import { bounds, Crop, rolledPose, rollOf, type Matrix } from "../geometry";
import { VERTICES } from "./mesh";
import { headPose } from "./pose";

export type Box = readonly [number, number, number, number];

export interface Face {
  /** Left, top, width, height of the landmarks' bounding box, pixels of the photo. */
  readonly box: Box;
  /** 478 triples; x right and y down in pixels of the photo, z in the same scale, smaller nearer. */
  readonly landmarks: Float32Array;
  /** Rotation from head to camera frame, as if the camera looked straight at it. */
  readonly headPose: Matrix;
  /** The same in the crop's frame, where the head is upright. */
  readonly cropPose: Matrix;
  /** The square around head, hair and shoulders that the models see, turned upright. */
  readonly crop: Crop;
  /** How sure Face Mesh is that a face is there, in [0, 1]. */
  readonly presence: number;
}

/** A face of a photo of some size from its landmarks. */
export function faceFrom(
  landmarks: Float32Array,
  rows: number,
  columns: number,
  presence = 1,
): Face {
  const [left, top, right, bottom] = bounds(landmarks);
  const pose = headPose(landmarks, VERTICES, rows, columns);
  const roll = rollOf(pose);
  return {
    box: [left, top, right - left, bottom - top],
    landmarks,
    headPose: pose,
    cropPose: rolledPose(pose, -roll),
    crop: Crop.around(landmarks, roll),
    presence,
  };
}

/** Geometric mean of the sides of a face's box, pixels. */
export function faceSize(face: Face): number {
  return Math.sqrt(face.box[2] * face.box[3]);
}
