// SPDX-License-Identifier: Apache-2.0
/**
 * A photo's edges: filters that let values change where the photo does, and how dark it is.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
import { edge as constants } from "../constants.json";
import { luminance, toLinear } from "../color";
import { blur, erode, guidedFilter } from "../image/filter";
import { smoothstep, type Grid } from "../geometry";
import { clamp, Raster, roundEven } from "../image/raster";
import { resizeArea, resizeLinear } from "../image/resample";

const {
  BLACK,
  BLACK_OF,
  CALM,
  COLD,
  DARK,
  DARKEST,
  DARKEST_OF,
  DARK_OF,
  EDGE,
  IN_BLACK,
  LEAST_OF,
  LUMA,
  MURKY,
  OUTLINE_EDGE,
  OUTLINE_LEAST,
  OUTLINE_SCALE,
  PILED,
  PLAIN,
  PLAINEST,
  SAMPLED_EVERY,
  SOFTENED,
  THICKEST,
  TINTED,
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

/** Factors on red, green and blue that whiten the light on dark, cold cells: black hair has no hue. */
export function photoTint(colors: Raster): Raster {
  const [rows, columns] = [colors.rows, colors.columns].map((side) =>
    Math.max(1, Math.floor(side / TINTED)),
  );
  const mean = resizeArea(colors, rows, columns);
  const brightness = grey(mean);
  const tint = new Raster(rows, columns, 3);
  for (let i = 0; i < brightness.data.length; i++) {
    const [red, green, blue] = mean.data.subarray(i * 3, i * 3 + 3);
    const most = Math.max(green, blue);
    const cold = smoothstep((most - red) / Math.max(most, DARKEST), COLD[0], COLD[1]);
    const dark = 1 - smoothstep(brightness.data[i], MURKY[0], MURKY[1]);
    const linear = [red, green, blue].map(toLinear);
    const shown = luminance(linear[0], linear[1], linear[2]);
    linear.forEach((value, c) => {
      const white = clamp(shown / Math.max(value, DARKEST), 1 / PLAINEST, PLAINEST);
      tint.data[i * 3 + c] = 1 + PLAIN * cold * dark * (white - 1);
    });
  }
  return resizeLinear(tint, colors.rows, colors.columns);
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
