// SPDX-License-Identifier: Apache-2.0
/** MediaPipe's selfie segmentation: which pixels are part of a person. */
import { segmentation as constants } from "../constants.json";
import { clamp, Pixels, Raster } from "../image/raster";
import type { Models } from "../models/library";
import { brighterLeft } from "./mirror";

const { INPUT, MODEL, OUTPUT, SIDE } = constants;

/**
 * Probability in [0, 1] that a pixel of a square picture, SIDE pixels a side, is of a person: asked
 * about the one of the picture and its mirror image that is brighter to image left.
 */
export async function person(models: Models, picture: Pixels): Promise<Raster> {
  if (picture.rows !== SIDE || picture.columns !== SIDE) {
    throw new Error(`a person is looked for in ${SIDE} x ${SIDE} pixels`);
  }
  const isMirrored = !brighterLeft(picture);
  const seen = isMirrored ? picture.toRaster().mirrored() : picture.toRaster();
  const found = await models.run(MODEL, { [INPUT]: seen.data });
  const mask = new Raster(SIDE, SIDE, 1, found[OUTPUT].map((value) => clamp(value, 0, 1)));
  return isMirrored ? mask.mirrored() : mask;
}
