// SPDX-License-Identifier: Apache-2.0
/** What MediaPipe's models see of a photo, as one object. */
import type { Pixels, Raster } from "../image/raster";
import type { Models } from "../models/library";
import { detect, FULL, type Detection, type Sight } from "./detector";
import { fit, type Fit } from "./landmark";
import { Region, type Pyramid } from "./region";
import type { Tones } from "./tone";
import { person } from "./segmentation";

export class Perception {
  constructor(private readonly models: Models) {}

  /** Faces by a detector, the most certain first. */
  boxes(photo: Pyramid, sight: Partial<Sight> = {}): Promise<Detection[]> {
    const region = Region.whole(photo.rows, photo.columns);
    return detect(this.models, photo, { layout: FULL, region, ...sight });
  }

  /**
   * Landmarks of the face in a region, or null.
   *
   * @param region the face, upright, with a quarter of its side as margin all round.
   */
  landmarks(photo: Pyramid, region: Region, tones?: Tones): Promise<Fit | null> {
    return fit(this.models, photo, region, tones);
  }

  /** Probability in [0, 1] that a pixel of a 256 x 256 picture is part of a person. */
  person(picture: Pixels): Promise<Raster> {
    return person(this.models, picture);
  }
}
