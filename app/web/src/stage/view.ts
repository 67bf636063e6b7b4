// SPDX-License-Identifier: Apache-2.0
/** What is seen of a face, on its crop: all that the stages may look at. */
import { view as constants } from "../constants.json";
import { luminance, toLinear } from "../color";
import type { Perception } from "../face/perception";
import type { Face } from "../face/face";
import { dilate, erode, gaussianBlur } from "../image/filter";
import { region, surface, type Surface } from "../face/mesh";
import { brighterLeft, mirror, mirroredLandmarks, type Mirror } from "../face/mirror";
import type { Matrix } from "../geometry";
import { Raster, type Pixels } from "../image/raster";
import { shrink, shrinkPixels } from "../image/resample";

export const { SIDE, FINE } = constants;
const { BLIND, EXPOSED, FACING, FEATURES, RIM, SEEN, SOFT, STRAY } = constants;

/** A face's crop and what is known of it before any estimate, SIDE cells a side. */
export interface View {
  /** Encoded sRGB in [0, 1]. */
  readonly photo: Raster;
  /** The same at FINE times the resolution. */
  readonly finePhoto: Raster;
  /** The face mesh. */
  readonly mesh: Surface;
  /** The face mesh without the part of its rim that is turned away, softened; all of it and a
   * cell around it where the face is all that is known of a person. */
  readonly innerFace: Raster;
  /** Trust in a pixel as plain, well exposed skin. */
  readonly skin: Raster;
  /** Probability of a person, at FINE times the resolution. */
  readonly outline: Raster;
  /** The same at the others' resolution. */
  readonly person: Raster;
  /** Triples in pixels of the drawing, z in the same scale, smaller nearer. */
  readonly landmarks: Float32Array;
  /** Mirror images of the face's points. */
  readonly images: Mirror;
  /** Whether the networks see the face's mirror image: see brighterLeft. */
  readonly isMirrored: boolean;
}

/** See a face as the stages do. */
export async function look(perception: Perception, pixels: Pixels, face: Face): Promise<View> {
  const crop = face.crop.extract(pixels, FINE * SIDE);
  if (crop === null) throw new Error("the face lies outside the photo");
  return viewOf(crop, face, await perception.person(crop));
}

/** The view of a face from its crop and the person's outline in it, FINE * SIDE cells a side. */
export function viewOf(crop: Pixels, face: Face, person: Raster): View {
  const photo = shrinkPixels(crop, FINE).toRaster();
  const landmarks = face.crop.toCrop(face.landmarks, SIDE);
  const isMirrored = brighterLeft(crop);
  const { mesh, features } = drawings(landmarks, face.cropPose, isMirrored);
  const { normals, mask } = mesh;
  const inner = erode(mask, RIM);
  const skin = inner.zip(plain(features), (a, b) => a * b).zip(exposed(photo), (a, b) => a * b);
  const seen = shrink(person, FINE);
  const total = (raster: Raster): number => raster.data.reduce((a, b) => a + b, 0);
  const blind = total(seen.zip(mask, (a, b) => a * b)) < BLIND * total(mask);
  // Near the mesh's rim, where nobody is seen, it lies on air: a nose in profile is drawn too long.
  const deep = erode(mask, STRAY);
  const known = seen.zip(deep, (a, b) => (a < SEEN ? b : 1));
  const onFace = blind ? mask : mask.zip(known, Math.min);
  const either = person.data.map((value, k) => {
    const [y, x] = [Math.floor(k / (FINE * SIDE)), k % (FINE * SIDE)];
    return Math.max(value, onFace.data[Math.floor(y / FINE) * SIDE + Math.floor(x / FINE)]);
  });
  const outline = new Raster(FINE * SIDE, FINE * SIDE, 1, either);
  const facing = mask.data.map((value, i) => (normals.data[i * 3 + 2] > FACING ? value : 0));
  const certain = blind
    ? dilate(mask, RIM)
    : inner.zip(new Raster(SIDE, SIDE, 1, facing), Math.max).zip(onFace, Math.min);
  return {
    photo,
    finePhoto: crop.toRaster(),
    mesh,
    innerFace: gaussianBlur(certain, SOFT),
    skin,
    outline,
    person: shrink(outline, FINE),
    landmarks,
    images: mirror(landmarks, SIDE),
    isMirrored,
  };
}

/**
 * The face mesh, and eyes, eyebrows and lips: a photo and its mirror image get the same drawing.
 *
 * @param isMirrored whether the mirror image is drawn, and turned back.
 */
function drawings(
  landmarks: Float32Array,
  headPose: Matrix,
  isMirrored: boolean,
): { mesh: Surface; features: Raster } {
  if (!isMirrored) {
    return { mesh: surface(landmarks, headPose, SIDE), features: region(landmarks, FEATURES, SIDE) };
  }
  const other = mirroredLandmarks(landmarks, SIDE);
  const [x, y, z] = headPose;
  const drawn = surface(other, [[x[0], -x[1], -x[2]], [-y[0], y[1], y[2]], [-z[0], z[1], z[2]]], SIDE);
  return {
    mesh: {
      normals: drawn.normals.mirrored().map((value, i) => (i % 3 === 0 ? -value : value)),
      depth: drawn.depth.mirrored(),
      mask: drawn.mask.mirrored(),
    },
    features: region(other, FEATURES, SIDE).mirrored(),
  };
}

/** 1 where no eye, eyebrow or lip is. */
function plain(features: Raster): Raster {
  return dilate(features, RIM).map((value) => 1 - value);
}

/** Neither clipped nor black: 1, else 0. */
function exposed(photo: Raster): Raster {
  const [dark, bright] = EXPOSED;
  const result = new Raster(photo.rows, photo.columns, 1);
  for (let i = 0; i < result.data.length; i++) {
    const [r, g, b] = photo.data.subarray(i * 3, i * 3 + 3).map(toLinear);
    result.data[i] = Math.max(r, g, b) < bright && luminance(r, g, b) > dark ? 1 : 0;
  }
  return result;
}
