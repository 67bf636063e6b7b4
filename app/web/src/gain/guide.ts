// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting low-resolution key gains to a photo's edges, with the photo as the guide.
 *
 * What depends on the photo and the faces alone is worked out once.
 */
import { canvas, guide as constants } from "../constants.json";
import type { Box, Crop, Grid } from "../geometry";
import { clamp, Pixels, Raster, Window } from "../image/raster";
import { resizeArea, resizeLinear } from "../image/resample";
import { EdgeFilter, grey, outlineOnEdges, photoTint, photoTrust } from "./edge";
import { grainOf, type Grain } from "./grain";
import {
  around,
  enlarged,
  gridOver,
  hull,
  inner,
  partOf,
  place,
  scaleFor,
  shareOut,
  squareWindow,
  within,
  type Place,
  type Size,
} from "./reach";

const { GAIN_SIDE } = canvas;
const { BODY_SIDE, BODY_SURE, LEAST, MIXED, NOBODY, OUTLINE_SIDE, SURE } = constants;

/** Where light may fall on one square of a photo: rasters of one channel, in [0, 1]. */
export interface Layer {
  readonly crop: Crop;
  readonly person: Raster;
  readonly confidence: Raster;
}

/** Where one face's light may fall: on its crop, and on a wider square around the body, if any. */
export interface Outline extends Layer {
  readonly face: Raster;
  readonly body: Layer | null;
}

/** An outline on the photo scaled by a factor. */
export function scaledOutline({ body, ...head }: Outline, factor: number): Outline {
  const wide = body && { ...body, crop: body.crop.scaled(factor) };
  return { ...head, crop: head.crop.scaled(factor), body: wide };
}

/** A face's gain as predicted, three channels, on its crop and on the body's square, if any. */
export interface FaceGain {
  readonly head: Raster;
  readonly body: Raster | null;
}

/** One square's light on a photo: drawn on coarse cells, weighed on the grid's. */
interface Square {
  readonly crop: Crop;
  /** The cells of the guide's grid that it lies on. */
  readonly box: Box;
  /** Of red, green and blue. */
  readonly weight: Raster;
  readonly coarse: Grid;
  /** How far this square counts on the coarse cells; null for all. */
  readonly counts: Raster | null;
  /** What fits light to the photo's edges, if it is. */
  readonly edges: { readonly filter: EdgeFilter; readonly brightness: Raster } | null;
}

/** A photo's edges and the outlines of its people: made once, used for every light. */
export class Guide {
  /** All cells on which there are people. */
  readonly grid: Grid;
  /** The people, in [0, 1], whatever can be lit of them: one channel. */
  readonly people: Raster;
  /** Each person on the cells of their place. */
  private readonly persons: { readonly box: Box; readonly person: Raster }[] = [];
  private readonly all: Grid;
  private readonly whole: Box;
  private readonly squares: Square[][];
  private readonly measured: () => Grain | null;
  private known: Grain | null | undefined;

  constructor(photo: Pixels, outlines: readonly Outline[]) {
    const reaches = outlines.map(({ crop, body }) => ({ head: crop, body: body?.crop ?? null }));
    const grid = gridOver(photo, reaches);
    const colors = onGrid(photo, grid);
    const brightness = grey(colors);
    const [trust, tint] = [photoTrust(brightness), photoTint(colors)];
    const places = outlines.map(({ body }, k) =>
      place(reaches[k], body && seen(body, photo), grid, photo),
    );
    shareOut(places, outlines.map(({ crop }) => crop), grid);
    const people = new Raster(grid.rows, grid.columns, 1);
    const weights = outlines.map((outline, k) => {
      const { box, share } = places[k];
      const [person, weight] = onPlace(outline, places[k], grid, colors);
      this.persons.push({ box, person });
      within(grid, box, (i, whole) => {
        const here = person.data[i] * share.data[i];
        person.data[i] = here;
        people.data[whole] += here;
        weight.data[i] *= here * trust.data[whole];
      });
      return weight;
    });
    people.data.forEach((share, i) => {
      people.data[i] = share <= LEAST ? 0 : Math.min(share, 1);
    });
    const lit = around(people, (i) => people.data[i] > 0);
    const whole = hull([lit, ...places.map(({ headBox }) => headBox)]);
    this.whole = whole;
    this.all = grid;
    this.grid = partOf(grid, whole);
    this.people = cut(people, whole);
    this.squares = outlines.map((outline, k) =>
      squares(outline, places[k], weights[k], brightness, tint, grid, whole, photo),
    );
    this.measured = () => {
      const found = grainOf(photo, colors, grid.step);
      return found && { ...found, colors: cut(found.colors, whole), dim: cut(found.dim, whole) };
    };
  }

  /** The photo's noise on the cells; null where it has none. */
  get grain(): Grain | null {
    if (this.known === undefined) this.known = this.measured();
    return this.known;
  }

  /** How much of the existing light is taken away when a share in [0, 1] is of each person. */
  taken(shares: readonly number[]): Raster {
    const most = Math.max(...shares);
    if (Math.min(...shares) === most) return this.people.map((share) => share * most);
    const total = new Raster(this.all.rows, this.all.columns, 1);
    this.persons.forEach(({ box, person }, k) => {
      within(this.all, box, (i, whole) => {
        total.data[whole] += shares[k] * person.data[i];
      });
    });
    const seen = total.map((share) => (share < LEAST * most ? 0 : Math.min(share, most)));
    return cut(seen, this.whole);
  }

  /**
   * Fit the faces' gains to the photo and join them.
   *
   * Linear in the gains: what of the result is as small as LEAST means nothing, see `noticeable`.
   */
  fit(gains: readonly FaceGain[]): Raster {
    const total = new Raster(this.grid.rows, this.grid.columns, 3);
    this.squares.forEach(([head, body], k) => {
      add(head, gains[k].head, total);
      const around = gains[k].body;
      if (body !== undefined && around !== null) add(body, around, total);
    });
    return total;
  }
}

/** Drop gains that nobody sees, and the filter's overshoot below zero, in place. */
export function noticeable(gain: Raster): Raster {
  for (let n = 0; n < gain.data.length; n++) if (gain.data[n] <= LEAST) gain.data[n] = 0;
  return gain;
}

/** Add the light of a gain on a square to that on the guide's grid. */
function add({ crop, box, weight, coarse, counts, edges }: Square, gain: Raster, total: Raster): void {
  const values = crop.ontoGrid(gain, coarse);
  const planes = (edges === null ? [values] : edges.filter.coefficients(values)).map((plane) =>
    resizeLinear(counts === null ? plane : plane.weighted(counts), weight.rows, weight.columns),
  );
  const [first, offset] = planes;
  within(total, box, (i, whole) => {
    for (let c = 0; c < 3; c++) {
      let value = first.data[i * 3 + c];
      if (edges !== null) value = value * edges.brightness.data[i] + offset.data[i * 3 + c];
      total.data[whole * 3 + c] += value * weight.data[i * 3 + c];
    }
  });
}

/** The squares of a face, ready for its gains: the head's, and the body's where it has one. */
function squares(
  { crop, body }: Outline,
  where: Place,
  weight: Raster,
  brightness: Raster,
  tint: Raster,
  grid: Grid,
  whole: Box,
  photo: Size,
): Square[] {
  const radius = crop.size / grid.step / GAIN_SIDE;
  const scale = scaleFor(radius);
  const coarse = partOf(grid, where.headBox, scale);
  const own = cut(brightness, where.headBox);
  const head: Square = {
    crop,
    box: inner(where.headBox, whole),
    weight: cut(tint, where.headBox).weighted(cut(weight, inner(where.headBox, where.box))),
    coarse,
    counts: body === null ? null : squareWindow(crop, coarse, photo),
    edges: { filter: new EdgeFilter(own, coarse, radius, scale), brightness: own },
  };
  if (body === null) return [head];
  const counts = new Raster(weight.rows, weight.columns, 1);
  within(counts, inner(where.headBox, where.box), (i, k) => {
    counts.data[k] = where.head.data[i];
  });
  const isLit = (i: number): boolean => weight.data[i] > LEAST && counts.data[i] < 1;
  if (!weight.data.some((_, i) => isLit(i))) return [head];
  const lit = around(weight, isLit);
  const box = inner(lit, { top: -where.box.top, bottom: 0, left: -where.box.left, right: 0 });
  const wide = partOf(grid, box, scaleFor(body.crop.size / grid.step / BODY_SIDE));
  const beside = squareWindow(crop, wide, photo).map((value) => 1 - value);
  const tinted = cut(tint, box).weighted(cut(weight, lit));
  const light = { crop: body.crop, box: inner(box, whole), weight: tinted };
  return [head, { ...light, coarse: wide, counts: beside, edges: null }];
}

/** The person and the trust in the gain on one face's cells. */
function onPlace(outline: Outline, where: Place, grid: Grid, colors: Raster): [Raster, Raster] {
  const { crop, body } = outline;
  const [cells, near] = [partOf(grid, where.box), partOf(grid, where.headBox)];
  const inside = inner(where.headBox, where.box);
  let person = ramp(crop.ontoGrid(outline.person, near), SURE);
  let trust = crop.ontoGrid(outline.confidence, near);
  if (body !== null && cells.rows * cells.columns !== near.rows * near.columns) {
    const drawn = (values: Raster): Raster =>
      enlarged((coarse) => body.crop.ontoGrid(values, coarse), body.crop, cells);
    const joined = (own: Raster, wide: Raster): Raster => {
      within(wide, inside, (i, k) => {
        wide.data[k] += (own.data[i] - wide.data[k]) * where.head.data[i];
      });
      return wide;
    };
    person = joined(person, ramp(drawn(body.person), BODY_SURE));
    trust = joined(trust, drawn(body.confidence));
  }
  const reach = crop.size / grid.step / OUTLINE_SIDE;
  const found = ramp(outlineOnEdges(cut(colors, where.box), person, reach), MIXED);
  const certain = crop.ontoGrid(outline.face, near, 0);
  within(found, inside, (i, k) => {
    found.data[k] = Math.max(found.data[k], certain.data[i]);
  });
  return [found, trust];
}

/** 0 below the first of two numbers, 1 above the second, straight between them. */
function ramp(values: Raster, [low, high]: readonly number[]): Raster {
  return values.map((value) => clamp((value - low) / (high - low), 0, 1));
}

/** Rows and columns of a photo that hold all of the person on a square, or null. */
function seen({ crop, person }: Layer, photo: Size): Box | null {
  const side = person.rows;
  let [top, bottom, left, right] = [side, -1, side, -1];
  person.data.forEach((value, i) => {
    if (value <= NOBODY) return;
    const [y, x] = [Math.floor(i / side), i % side];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
  });
  if (bottom < 0) return null;
  const corners = [left, right].flatMap((x) =>
    [top, bottom].map((y) => crop.point((x + 0.5) / side, (y + 0.5) / side)),
  );
  const margin = (2 * crop.size) / side;
  const low = (axis: number): number =>
    Math.max(0, Math.floor(Math.min(...corners.map((at) => at[axis])) - margin));
  const high = (axis: number, limit: number): number =>
    Math.min(limit, Math.ceil(Math.max(...corners.map((at) => at[axis])) + margin));
  const box = { top: low(1), bottom: high(1, photo.rows), left: low(0), right: high(0, photo.columns) };
  return box.top < box.bottom && box.left < box.right ? box : null;
}

/** The part of a raster in a box. */
function cut(raster: Raster, box: Box): Raster {
  const { channels } = raster;
  const result = new Raster(box.bottom - box.top, box.right - box.left, channels);
  for (let y = box.top, i = 0; y < box.bottom; y++, i++) {
    const from = (y * raster.columns + box.left) * channels;
    const row = raster.data.subarray(from, from + result.columns * channels);
    result.data.set(row, i * result.columns * channels);
  }
  return result;
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
