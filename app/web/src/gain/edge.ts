// SPDX-License-Identifier: Apache-2.0
/**
 * A photo's edges: filters that let values change where the photo does, and how dark it is.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
import { edge as constants } from "../constants.json";
import { blur, erode, guidedFilter } from "../image/filter";
import { smoothstep, type Grid } from "../geometry";
import { clamp, Raster, roundEven } from "../image/raster";
import { resizeArea } from "../image/resample";

const {
  BLACK,
  BLACK_OF,
  CALM,
  DARK,
  DARKEST_OF,
  DARK_OF,
  EDGE,
  IN_BLACK,
  LEAST_OF,
  LUMA,
  OUTLINE_EDGE,
  OUTLINE_LEAST,
  OUTLINE_SCALE,
  PILED,
  SAMPLED_EVERY,
  SOFTENED,
  THICKEST,
  VEIL,
} = constants;

/** Lets values change where a picture's brightness does (fast guided filter). */
export class EdgeFilter {
  private readonly side: number;
  private readonly small: Raster;
  private readonly mean: Raster;
  private readonly sharpness: Raster;

  /**
   * @param radius half the window's side, in cells of the picture.
   * @param coarse the cells, `scale` times as large, that coefficients are found on.
   */
  constructor(
    brightness: Raster,
    readonly coarse: Grid,
    radius: number,
    scale: number,
  ) {
    this.side = 2 * Math.max(1, roundEven(radius / scale)) + 1;
    this.small = resizeArea(brightness, coarse.rows, coarse.columns);
    this.mean = blur(this.small, this.side);
    const square = blur(this.small.map((x) => x * x), this.side);
    this.sharpness = square.zip(this.mean, (s, m) => 1 / (Math.max(s - m * m, 0) + EDGE));
  }

  /** What brightness is multiplied by, and what is added to that, to follow three channels. */
  coefficients(values: Raster): [Raster, Raster] {
    const mean = blur(values, this.side);
    const slope = blur(values.weighted(this.small), this.side);
    const offset = new Raster(slope.rows, slope.columns, 3);
    for (let i = 0, n = 0; i < this.mean.data.length; i++) {
      const m = this.mean.data[i];
      const sharpness = this.sharpness.data[i];
      for (let c = 0; c < 3; c++, n++) {
        slope.data[n] = (slope.data[n] - mean.data[n] * m) * sharpness;
        offset.data[n] = mean.data[n] - slope.data[n] * m;
      }
    }
    return [blur(slope, this.side), blur(offset, this.side)];
  }
}

export function grey(image: Raster): Raster {
  const result = new Raster(image.rows, image.columns, 1);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = LUMA.reduce((total, weight, c) => total + weight * image.data[i * 3 + c], 0);
  }
  return result;
}

/** Let a person's outline end where the photo's colours change. */
export function outlineOnEdges(guide: Raster, person: Raster, radius: number): Raster {
  const fast = Math.min(guide.rows, guide.columns) >= OUTLINE_LEAST ? OUTLINE_SCALE : 1;
  const reach = Math.max(1, roundEven(radius * fast));
  return guidedFilter(guide, person, reach, OUTLINE_EDGE, fast);
}

/** Where the photo can be multiplied: lost neither in noise nor in a veil over its black. */
export function photoTrust(brightness: Raster): Raster {
  const mean = blur(brightness, CALM);
  const sample: number[] = [];
  for (let y = 0; y < mean.rows; y += SAMPLED_EVERY) {
    for (let x = 0; x < mean.columns; x += SAMPLED_EVERY) sample.push(mean.data[y * mean.columns + x]);
  }
  const trust = toneTrust(mean, Float32Array.from(sample));
  // Cells in which dark hair and a bright wall mix would shine as a rim around the head.
  return blur(erode(trust, DARKEST_OF), SOFTENED);
}

/** Where pixels of a crop can be multiplied: as on the photo, but pixel by pixel. */
export function trustIn(photo: Raster): Raster {
  const brightness = grey(photo);
  return toneTrust(brightness, brightness.data);
}

/** Share of the light that tones get, of a photo that has those of a sample. */
function toneTrust(brightness: Raster, sample: Float32Array): Raster {
  const tones = sample.slice().sort();
  const darkest = (part: number): number => tones[Math.floor(tones.length / part)];
  const [least, black, dark] = [LEAST_OF, BLACK_OF, DARK_OF].map(darkest);
  const floor = Math.max(0, 1 - (dark - least) / PILED);
  const veil = floor * clamp(VEIL * (black - BLACK), 0, THICKEST);
  return brightness.map(
    (value) => IN_BLACK + (1 - IN_BLACK) * smoothstep(value, veil + DARK[0], veil + DARK[1]),
  );
}
