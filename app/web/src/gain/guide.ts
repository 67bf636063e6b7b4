// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting low-resolution key gains to a photo's edges, with the photo as the guide.
 *
 * What depends on the photo and the faces alone is worked out once.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
import { edge, guide, reach } from "../constants.json";
import { blur, erode, guidedFilter } from "../image/filter";
import { smoothstep, type Crop, type Grid } from "../geometry";
import { clamp, Pixels, Raster, roundEven, Window } from "../image/raster";
import { resizeArea, resizeLinear } from "../image/resample";

const {
  BLACK,
  BLACK_OF,
  CALM,
  COARSEST,
  DARK,
  DARKEST_OF,
  DARK_OF,
  EDGE,
  FADE,
  GAIN_SIDE,
  IN_BLACK,
  LEAST,
  LEAST_OF,
  LUMA,
  NOWHERE,
  OPEN,
  OUTLINE_EDGE,
  OUTLINE_LEAST,
  OUTLINE_SCALE,
  OUTLINE_SIDE,
  PILED,
  SAMPLED_EVERY,
  SOFTENED,
  SURE,
  THICKEST,
  VEIL,
  WORK_SIDE,
} = { ...edge, ...guide, ...reach };

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
}

/** A photo's edges and the outlines of its people: made once, used for every light. */
export class Guide {
  readonly grid: Grid;
  /** The people, in [0, 1], whatever can be lit of them: one channel. */
  readonly people: Raster;
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
    this.people = new Raster(grid.rows, grid.columns, 1);
    this.layers = outlines.map(({ crop, person, face, confidence }, k) => {
      const reach = crop.size / grid.step / OUTLINE_SIDE;
      const weight = outlineOnEdges(guide, crop.ontoGrid(person, grid), reach);
      const inside = crop.ontoGrid(face, grid).data;
      const trusted = crop.ontoGrid(confidence, grid).data;
      for (let i = 0; i < weight.data.length; i++) {
        const sure = Math.max(smoothstep(weight.data[i], SURE[0], SURE[1]), inside[i]);
        const share = sure * parts[k].data[i];
        this.people.data[i] += share;
        weight.data[i] = share * trust.data[i] * trusted[i];
      }
      const radius = crop.size / grid.step / GAIN_SIDE;
      return { crop, fitted: new EdgeFilter(brightness, grid, radius), weight };
    });
    this.people.data.forEach((share, i) => {
      this.people.data[i] = share <= LEAST ? 0 : Math.min(share, 1);
    });
  }

  /**
   * Fit the faces' gains, three channels each, to the photo and join them.
   *
   * Linear in the gains: what of the result is as small as LEAST means nothing, see `noticeable`.
   */
  fit(gains: readonly Raster[]): Raster {
    const { rows, columns } = this.grid;
    const total = new Raster(rows, columns, 3);
    this.layers.forEach(({ crop, fitted, weight }, k) => {
      const layer = fitted.filter(crop.ontoGrid(gains[k], fitted.coarse));
      for (let i = 0, n = 0; i < weight.data.length; i++) {
        const share = weight.data[i];
        for (let c = 0; c < 3; c++, n++) total.data[n] += layer.data[n] * share;
      }
    });
    return total;
  }
}

/** Drop gains that nobody sees, and the filter's overshoot below zero, in place. */
export function noticeable(gain: Raster): Raster {
  for (let n = 0; n < gain.data.length; n++) if (gain.data[n] <= LEAST) gain.data[n] = 0;
  return gain;
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
    result.data[i] = LUMA.reduce((total, weight, c) => total + weight * image.data[i * 3 + c], 0);
  }
  return result;
}

/** Weights that give each pixel to its nearest face, by the faces' windows. */
function shares(windows: readonly Raster[]): Raster[] {
  if (windows.length === 1) return [windows[0]];
  return windows.map((own) => {
    const result = own.map((x) => x * x);
    for (let i = 0; i < result.data.length; i++) {
      let [total, reach] = [NOWHERE, 0];
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
  const fast = Math.min(guide.rows, guide.columns) >= OUTLINE_LEAST ? OUTLINE_SCALE : 1;
  const reach = Math.max(1, roundEven(radius * fast));
  return guidedFilter(guide, person, reach, OUTLINE_EDGE, fast);
}

/** 1 inside a crop, falling smoothly to 0 at those of its sides that lie in the photo. */
function faceWindow(crop: Crop, grid: Grid, rows: number, columns: number): Raster {
  /** How far a point of a side lies beyond the photo: 0 to 1. */
  const closed = (u: number, v: number): number => {
    const [x, y] = crop.point(u, v);
    const beyond = Math.max(-x, x - columns, -y, y - rows);
    return smoothstep(beyond / crop.size, 0, OPEN);
  };
  const along = Array.from({ length: GAIN_SIDE }, (_, i) => (i + 0.5) / GAIN_SIDE);
  const near = along.map((u) => smoothstep(u, 0, FADE));
  const sides = {
    left: along.map((v) => closed(0, v)),
    right: along.map((v) => closed(1, v)),
    top: along.map((u) => closed(u, 0)),
    bottom: along.map((u) => closed(u, 1)),
  };
  const ramp = (share: number, side: number): number => share + side * (1 - share);
  const window = new Raster(GAIN_SIDE, GAIN_SIDE, 1);
  for (let row = 0, i = 0; row < GAIN_SIDE; row++) {
    for (let column = 0; column < GAIN_SIDE; column++, i++) {
      window.data[i] =
        ramp(near[column], sides.left[row]) *
        ramp(near[GAIN_SIDE - 1 - column], sides.right[row]) *
        ramp(near[row], sides.top[column]) *
        ramp(near[GAIN_SIDE - 1 - row], sides.bottom[column]);
    }
  }
  return crop.ontoGrid(window, grid, 0);
}

/** Where the photo can be multiplied: lost neither in noise nor in a veil over its black. */
function photoTrust(brightness: Raster): Raster {
  const mean = blur(brightness, CALM);
  const sample: number[] = [];
  for (let y = 0; y < mean.rows; y += SAMPLED_EVERY) {
    for (let x = 0; x < mean.columns; x += SAMPLED_EVERY) sample.push(mean.data[y * mean.columns + x]);
  }
  const sorted = Float32Array.from(sample).sort();
  const darkest = (part: number): number => sorted[Math.floor(sorted.length / part)];
  const [least, black, dark] = [LEAST_OF, BLACK_OF, DARK_OF].map(darkest);
  const floor = Math.max(0, 1 - (dark - least) / PILED);
  const veil = floor * clamp(VEIL * (black - BLACK), 0, THICKEST);
  const trust = mean.map(
    (value) => IN_BLACK + (1 - IN_BLACK) * smoothstep(value, veil + DARK[0], veil + DARK[1]),
  );
  // Cells in which dark hair and a bright wall mix would shine as a rim around the head.
  return blur(erode(trust, DARKEST_OF), SOFTENED);
}
