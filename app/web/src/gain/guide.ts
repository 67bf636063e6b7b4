// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting low-resolution key gains to a photo's edges, with the photo as the guide.
 *
 * What depends on the photo and the faces alone is worked out once.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
import { guide as constants } from "../constants.json";
import { blur, erode, guidedFilter } from "../image/filter";
import { smoothstep, type Crop, type Grid } from "../geometry";
import type { GainMap } from "./apply";
import { clamp, Pixels, Raster, roundEven, Window } from "../image/raster";
import { resizeArea, resizeLinear } from "../image/resample";

const {
  BLACK,
  COARSEST,
  DARKEST_OF,
  EDGE,
  FADE,
  GAIN_SIDE,
  LEAST,
  OUTLINE_EDGE,
  OUTLINE_SIDE,
  PILED,
  SURE,
  THICKEST,
  VEIL,
  WORK_SIDE,
} = constants;
/** Weights of red, green and blue in brightness, as ITU-R BT.601 and OpenCV have them. */
const GREY = [0.299, 0.587, 0.114];

/** Where one face's light may fall, on its crop: all rasters of one channel, in [0, 1]. */
export interface Outline {
  readonly crop: Crop;
  readonly person: Raster;
  readonly face: Raster;
  readonly confidence: Raster;
}

interface Layer {
  readonly crop: Crop;
  readonly fitted: EdgeFilter;
  readonly weight: Raster;
  /** How much of each cell is this person. */
  readonly person: Raster;
}

/** A photo's edges and the outlines of its people: made once, used for every light. */
export class Guide {
  private readonly grid: Grid;
  private readonly layers: Layer[];

  constructor(photo: Pixels, outlines: readonly Outline[]) {
    const { rows, columns } = photo;
    const grid = gridOver(rows, columns, outlines.map((outline) => outline.crop));
    this.grid = grid;
    const guide = onGrid(photo, grid);
    const brightness = grey(guide);
    const trust = photoTrust(brightness);
    const windows = outlines.map(({ crop }) => faceWindow(crop, grid, rows, columns));
    const parts = shares(windows);
    this.layers = outlines.map(({ crop, person, face, confidence }, k) => {
      const reach = crop.size / grid.step / OUTLINE_SIDE;
      const weight = outlineOnEdges(guide, crop.ontoGrid(person, grid), reach);
      const own = new Raster(grid.rows, grid.columns, 1);
      const inside = crop.ontoGrid(face, grid).data;
      const trusted = crop.ontoGrid(confidence, grid).data;
      for (let i = 0; i < weight.data.length; i++) {
        const sure = Math.max(smoothstep(weight.data[i], SURE[0], SURE[1]), inside[i]);
        own.data[i] = sure * parts[k].data[i];
        weight.data[i] = own.data[i] * trust.data[i] * trusted[i];
      }
      const radius = crop.size / grid.step / GAIN_SIDE;
      return { crop, fitted: new EdgeFilter(brightness, grid, radius), weight, person: own };
    });
  }

  /**
   * Fit the faces' gains to the photo and join them.
   *
   * @param gains `sum k c G` on each face's crop, three channels, in the outlines' order.
   * @param fill share of the existing light that stays on the people, in (0, 1].
   * @param strength factor on the whole change.
   */
  fit(gains: readonly Raster[], fill = 1, strength = 1): GainMap {
    const { left, top, step, rows, columns } = this.grid;
    const total = new Raster(rows, columns, 3);
    this.layers.forEach(({ crop, fitted, weight }, k) => {
      const layer = fitted.filter(crop.ontoGrid(gains[k], fitted.coarse));
      for (let i = 0, n = 0; i < weight.data.length; i++) {
        const share = weight.data[i];
        for (let c = 0; c < 3; c++, n++) total.data[n] += layer.data[n] * share;
      }
    });
    for (let n = 0; n < total.data.length; n++) {
      total.data[n] = total.data[n] <= LEAST ? 0 : total.data[n] * strength;
    }
    if (fill < 1) {
      for (const { person } of this.layers) {
        for (let n = 0; n < total.data.length; n++) {
          total.data[n] -= strength * (1 - fill) * person.data[Math.floor(n / 3)];
        }
      }
    }
    return { left, top, factor: step, gain: total };
  }
}

/** Lets values change where a picture's brightness does (fast guided filter). */
class EdgeFilter {
  readonly coarse: Grid;
  private readonly side: number;
  private readonly small: Raster;
  private readonly mean: Raster;
  private readonly sharpness: Raster;

  constructor(
    private readonly brightness: Raster,
    grid: Grid,
    radius: number,
  ) {
    const scales = [COARSEST, Math.floor(COARSEST / 2), 1];
    const scale = scales.find((s) => s <= Math.max(1, radius)) ?? 1;
    this.coarse = {
      left: grid.left,
      top: grid.top,
      step: grid.step * scale,
      rows: Math.floor(grid.rows / scale),
      columns: Math.floor(grid.columns / scale),
    };
    this.side = 2 * Math.max(1, roundEven(radius / scale)) + 1;
    this.small = resizeArea(brightness, this.coarse.rows, this.coarse.columns);
    this.mean = blur(this.small, this.side);
    const square = blur(this.small.map((x) => x * x), this.side);
    this.sharpness = square.zip(this.mean, (s, m) => 1 / (Math.max(s - m * m, 0) + EDGE));
  }

  /** Values of three channels on the coarse grid, given back on the fine one. */
  filter(values: Raster): Raster {
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
    const { rows, columns } = this.brightness;
    const result = resizeLinear(blur(slope, this.side), rows, columns);
    const shift = resizeLinear(blur(offset, this.side), rows, columns);
    for (let i = 0, n = 0; i < this.brightness.data.length; i++) {
      const b = this.brightness.data[i];
      for (let c = 0; c < 3; c++, n++) result.data[n] = result.data[n] * b + shift.data[n];
    }
    return result;
  }
}

/** Cells over all crops' visible parts; rows and columns are multiples of COARSEST. */
function gridOver(rows: number, columns: number, crops: readonly Crop[]): Grid {
  const boxes = crops.map((crop) => crop.visible(rows, columns));
  const top = Math.min(...boxes.map((box) => box.top));
  const left = Math.min(...boxes.map((box) => box.left));
  const height = Math.max(...boxes.map((box) => box.bottom)) - top;
  const width = Math.max(...boxes.map((box) => box.right)) - left;
  const step = Math.max(1, Math.ceil(Math.max(height, width) / WORK_SIDE));
  const count = (side: number): number => Math.ceil(side / step / COARSEST) * COARSEST;
  return { left, top, step, rows: count(height), columns: count(width) };
}

/** The photo on a grid, three channels in [0, 1]; past its border its edge repeats. */
function onGrid(photo: Pixels, grid: Grid): Raster {
  const region = new Window(
    photo,
    grid.left,
    grid.top,
    grid.rows * grid.step,
    grid.columns * grid.step,
  );
  return Pixels.rounded(resizeArea(region, grid.rows, grid.columns)).toRaster();
}

function grey(image: Raster): Raster {
  const result = new Raster(image.rows, image.columns, 1);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = GREY.reduce((total, weight, c) => total + weight * image.data[i * 3 + c], 0);
  }
  return result;
}

/** Weights that give each pixel to its nearest face, by the faces' windows. */
function shares(windows: readonly Raster[]): Raster[] {
  if (windows.length === 1) return [windows[0]];
  return windows.map((own) => {
    const result = own.map((x) => x * x);
    for (let i = 0; i < result.data.length; i++) {
      let [total, reach] = [1e-6, 0];
      for (const { data } of windows) {
        total += data[i] * data[i];
        reach = Math.max(reach, data[i]);
      }
      result.data[i] *= reach / total;
    }
    return result;
  });
}

/** Let a person's outline end where the photo's colours change. */
function outlineOnEdges(guide: Raster, person: Raster, radius: number): Raster {
  const fast = Math.min(guide.rows, guide.columns) >= 8 ? 0.25 : 1;
  const reach = Math.max(1, roundEven(radius * fast));
  return guidedFilter(guide, person, reach, OUTLINE_EDGE, fast);
}

/** 1 inside a crop, falling smoothly to 0 at those of its borders that lie in the photo. */
function faceWindow(crop: Crop, grid: Grid, rows: number, columns: number): Raster {
  const side = (start: number, count: number, low: number, limit: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => {
      const position = (start + (i + 0.5) * grid.step - low) / crop.size;
      const first = low > 0 ? smoothstep(position, 0, FADE) : 1;
      return low + crop.size < limit ? first * smoothstep(1 - position, 0, FADE) : first;
    });
  const down = side(grid.top, grid.rows, crop.top, rows);
  const across = side(grid.left, grid.columns, crop.left, columns);
  const result = new Raster(grid.rows, grid.columns, 1);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = down[Math.floor(i / grid.columns)] * across[i % grid.columns];
  }
  return result;
}

/** Where the photo can be multiplied: lost neither in noise nor in a veil over its black. */
function photoTrust(brightness: Raster): Raster {
  const mean = blur(brightness, 5);
  const sample = new Float32Array(Math.ceil(mean.rows / 4) * Math.ceil(mean.columns / 4));
  let filled = 0;
  for (let y = 0; y < mean.rows; y += 4) {
    for (let x = 0; x < mean.columns; x += 4) sample[filled++] = mean.data[y * mean.columns + x];
  }
  sample.sort();
  const [least, black, dark] = [1000, 200, 50].map((n) => sample[Math.floor(sample.length / n)]);
  const floor = Math.max(0, 1 - (dark - least) / PILED);
  const veil = floor * clamp(VEIL * (black - BLACK), 0, THICKEST);
  const trust = mean.map((value) => 0.3 + 0.7 * smoothstep(value, veil + 0.02, veil + 0.12));
  // Cells in which dark hair and a bright wall mix would shine as a rim around the head.
  return blur(erode(trust, DARKEST_OF), 3);
}
