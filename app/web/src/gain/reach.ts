// SPDX-License-Identifier: Apache-2.0
/**
 * Where a face's light reaches: a square around the head and a wider one around the body.
 *
 * Both, and those of several faces, share the photo without a seam.
 */
import { geometry, reach as constants } from "../constants.json";
import { Crop, smoothstep, type Box, type Grid } from "../geometry";
import { Raster } from "../image/raster";
import { resizeLinear } from "../image/resample";

const {
  AWAY,
  BEYOND,
  BODY_ABOVE,
  BODY_BELOW,
  BODY_BESIDE,
  COARSEST,
  FADE,
  NOWHERE,
  OPEN,
  WINDOW_SIDE,
  WORK_SIDE,
} = constants;

/** A photo's rows and columns. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** The squares that a face's light falls on: its crop, and a wider one, turned alike, if any. */
export interface Reach {
  readonly head: Crop;
  readonly body: Crop | null;
}

/** The smallest square around what a photo shows of the body; null if it is in the head's crop. */
export function bodyCrop(head: Crop, { rows, columns }: Size): Crop | null {
  const corners = [0, columns].flatMap((x) => [0, rows].map((y) => head.shares(x, y)));
  const [low, high] = [Math.min, Math.max].map((end) =>
    [0, 1].map((axis) => end(...corners.map((corner) => corner[axis] - 0.5))),
  );
  if (Math.max(-Math.min(...low), Math.max(...high)) <= 0.5 - OPEN) return null;
  const [left, top] = [Math.max(low[0] - BEYOND, -BODY_BESIDE), Math.max(low[1] - BEYOND, -BODY_ABOVE)];
  const [right, bottom] = [
    Math.min(high[0] + BEYOND, BODY_BESIDE),
    Math.min(high[1] + BEYOND, BODY_BELOW),
  ];
  if (left >= right || top >= bottom) return null;
  const [x, y] = head.point((left + right) / 2 + 0.5, (top + bottom) / 2 + 0.5);
  return new Crop(x, y, Math.max(right - left, bottom - top) * head.size, head.roll);
}

/** Cells over all that light reaches; rows and columns are multiples of COARSEST. */
export function gridOver({ rows, columns }: Size, reaches: readonly Reach[]): Grid {
  const crops = reaches.flatMap(({ head, body }) => (body === null ? [head] : [head, body]));
  const { top, left, bottom, right } = hull(crops.map((crop) => crop.visible(rows, columns)));
  const step = Math.max(1, Math.ceil(Math.max(bottom - top, right - left) / WORK_SIDE));
  const count = (side: number): number => Math.ceil(side / step / COARSEST) * COARSEST;
  return { left, top, step, rows: count(bottom - top), columns: count(right - left) };
}

/** The cells of a grid in a box, or cells of `scale` times their side over it. */
export function partOf(grid: Grid, { top, left, bottom, right }: Box, scale = 1): Grid {
  return {
    left: grid.left + left * grid.step,
    top: grid.top + top * grid.step,
    step: grid.step * scale,
    rows: Math.floor((bottom - top) / scale),
    columns: Math.floor((right - left) / scale),
  };
}

/** A box counted from the corner of another one around it. */
export function inner(box: Box, outer: Box): Box {
  return {
    top: box.top - outer.top,
    bottom: box.bottom - outer.top,
    left: box.left - outer.left,
    right: box.right - outer.left,
  };
}

/** The smallest box around some. */
export function hull(boxes: readonly Box[]): Box {
  return {
    top: Math.min(...boxes.map(({ top }) => top)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
    left: Math.min(...boxes.map(({ left }) => left)),
    right: Math.max(...boxes.map(({ right }) => right)),
  };
}

/**
 * The smallest box around cells with a margin, in steps of COARSEST; one step where there is none.
 *
 * @param marked whether a cell, counted row by row, is one of them.
 */
export function around({ rows, columns }: Size, marked: (index: number) => boolean): Box {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      if (!marked(i)) continue;
      [top, bottom] = [Math.min(top, y), y];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
    }
  }
  if (bottom < 0) [top, bottom, left, right] = [0, 0, 0, 0];
  const low = (first: number): number => Math.max(0, Math.floor(first / COARSEST) - 1) * COARSEST;
  const high = (last: number, limit: number): number =>
    Math.min(limit, (Math.floor(last / COARSEST) + 2) * COARSEST);
  return { top: low(top), bottom: high(bottom, rows), left: low(left), right: high(right, columns) };
}

/** What of a grid some rows and columns of the photo lie on, in steps of COARSEST. */
export function boxOf(extent: Box, grid: Grid): Box {
  const unit = grid.step * COARSEST;
  const low = (start: number, first: number): number =>
    Math.max(0, Math.floor((start - first) / unit) * COARSEST);
  const high = (stop: number, first: number, limit: number): number =>
    Math.min(limit, Math.ceil((stop - first) / unit) * COARSEST);
  return {
    top: low(extent.top, grid.top),
    bottom: high(extent.bottom, grid.top, grid.rows),
    left: low(extent.left, grid.left),
    right: high(extent.right, grid.left, grid.columns),
  };
}

/** 1 inside a square, falling smoothly to 0 at those of its sides that lie in the photo. */
export function squareWindow(crop: Crop, grid: Grid, { rows, columns }: Size): Raster {
  /** How far a point of a side lies beyond the photo: 0 to 1. */
  const closed = (u: number, v: number): number => {
    const [x, y] = crop.point(u, v);
    const beyond = Math.max(-x, x - columns, -y, y - rows);
    return smoothstep(beyond / crop.size, 0, OPEN);
  };
  const along = Array.from({ length: WINDOW_SIDE }, (_, i) => (i + 0.5) / WINDOW_SIDE);
  const near = along.map((u) => smoothstep(u, 0, FADE));
  const sides = {
    left: along.map((v) => closed(0, v)),
    right: along.map((v) => closed(1, v)),
    top: along.map((u) => closed(u, 0)),
    bottom: along.map((u) => closed(u, 1)),
  };
  const ramp = (share: number, side: number): number => share + side * (1 - share);
  const window = new Raster(WINDOW_SIDE, WINDOW_SIDE, 1);
  for (let row = 0, i = 0; row < WINDOW_SIDE; row++) {
    for (let column = 0; column < WINDOW_SIDE; column++, i++) {
      window.data[i] =
        ramp(near[column], sides.left[row]) *
        ramp(near[WINDOW_SIDE - 1 - column], sides.right[row]) *
        ramp(near[row], sides.top[column]) *
        ramp(near[WINDOW_SIDE - 1 - row], sides.bottom[column]);
    }
  }
  return crop.ontoGrid(window, grid, 0);
}

/** One face's cells. */
export interface Place {
  /** What of the grid its light lies in. */
  readonly box: Box;
  /** What of it the head's square lies in. */
  readonly headBox: Box;
  /** How far the head's square counts on its cells, not the body's. */
  readonly head: Raster;
  /** How far light reaches on the cells in `box` that is this face's. */
  readonly share: Raster;
}

/** One face's cells, as if it were the only one; `seen` is where the photo shows the body. */
export function place({ head, body }: Reach, seen: Box | null, grid: Grid, photo: Size): Place {
  const headBox = boxOf(head.visible(photo.rows, photo.columns), grid);
  const near = squareWindow(head, partOf(grid, headBox), photo);
  if (body === null || seen === null) {
    return { box: headBox, headBox, head: near, share: near.map((value) => value) };
  }
  const box = hull([headBox, boxOf(seen, grid)]);
  const share = enlarged((coarse) => squareWindow(body, coarse, photo), body, partOf(grid, box));
  const found = { box, headBox, head: near, share };
  within(share, inner(headBox, box), (i, k) => {
    share.data[k] += near.data[i] * (1 - share.data[k]);
  });
  return found;
}

/** Visit the cells of a box: its own count and that in the raster around it. */
export function within(raster: Size, box: Box, visit: (own: number, whole: number) => void): void {
  for (let y = box.top, i = 0; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++, i++) visit(i, y * raster.columns + x);
  }
}

/** Values of a wide square, drawn on coarse cells and enlarged. */
export function enlarged(draw: (coarse: Grid) => Raster, crop: Crop, cells: Grid): Raster {
  const scale = scaleFor(crop.size / cells.step / WINDOW_SIDE);
  const whole = { top: 0, bottom: cells.rows, left: 0, right: cells.columns };
  return resizeLinear(draw(partOf(cells, whole, scale)), cells.rows, cells.columns);
}

/** Side of coarse cells, in cells, that a detail of a radius in cells is drawn well on. */
export function scaleFor(radius: number): number {
  return [COARSEST, Math.floor(COARSEST / 2), 1].find((s) => s <= Math.max(1, radius)) ?? 1;
}

/** Where several faces' light reaches, give the nearest most of it; changes their shares. */
export function shareOut(places: readonly Place[], heads: readonly Crop[], grid: Grid): void {
  if (places.length < 2) return;
  const total = new Float32Array(grid.rows * grid.columns);
  const widest = new Float32Array(total.length);
  places.forEach(({ box, share }, k) => {
    const height = heads[k].size / geometry.CROP_SCALE;
    within(grid, box, (i, whole) => {
      const x = ((whole % grid.columns) + 0.5) * grid.step + grid.left - heads[k].x;
      const y = (Math.floor(whole / grid.columns) + 0.5) * grid.step + grid.top - heads[k].y;
      const near = 1 / (AWAY + (x / height) ** 2 + (y / height) ** 2);
      widest[whole] = Math.max(widest[whole], share.data[i]);
      share.data[i] = (share.data[i] * near) ** 2;
      total[whole] += share.data[i];
    });
  });
  for (const { box, share } of places) {
    within(grid, box, (i, whole) => {
      share.data[i] *= widest[whole] / (total[whole] + NOWHERE);
    });
  }
}
