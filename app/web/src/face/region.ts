// SPDX-License-Identifier: Apache-2.0
/** Where a network looks: a square of a photo, at any angle and size. */
import { clamp, Pixels } from "../image/raster";
import { halved } from "../image/resample";

/** A square of a photo, possibly turned; may reach past the photo's border. */
export class Region {
  private readonly cos: number;
  private readonly sin: number;

  /**
   * @param x its middle, pixels from the photo's left edge.
   * @param y its middle, pixels from the photo's upper edge.
   * @param side pixels of the photo.
   * @param angle of its own x axis from the photo's, radians, clockwise as seen.
   */
  constructor(
    readonly x: number,
    readonly y: number,
    readonly side: number,
    readonly angle = 0,
  ) {
    this.cos = Math.cos(angle);
    this.sin = Math.sin(angle);
  }

  /** The smallest square around a photo. */
  static whole(rows: number, columns: number, angle = 0): Region {
    return new Region(columns / 2, rows / 2, Math.max(rows, columns), angle);
  }

  /** The same square, its side times a factor. */
  resized(factor: number): Region {
    return new Region(this.x, this.y, this.side * factor, this.angle);
  }

  /** A square of the same size in the same place, at another angle. */
  turned(angle: number): Region {
    return new Region(this.x, this.y, this.side, angle);
  }

  /** Photo pixels of a point in [0, 1], as parts of the region's side. */
  toPhoto(across: number, down: number): [number, number] {
    const [u, v] = [(across - 0.5) * this.side, (down - 0.5) * this.side];
    return [this.x + u * this.cos - v * this.sin, this.y + u * this.sin + v * this.cos];
  }
}

/** A photo and its halves, quarters and so on, each made when it is first asked for. */
export class Pyramid {
  private readonly levels: Pixels[];
  /** Whether the photo's mirror image is seen; where to look is meant likewise. */
  isMirrored = false;

  constructor(photo: Pixels) {
    this.levels = [photo];
  }

  /** The last level: its shorter side is a pixel. */
  get finest(): number {
    return Math.floor(Math.log2(Math.min(this.rows, this.columns)));
  }

  get rows(): number {
    return this.levels[0].rows;
  }

  get columns(): number {
    return this.levels[0].columns;
  }

  /** The photo halved `n` times, 2 x 2 pixels averaged. */
  level(n: number): Pixels {
    while (this.levels.length <= n) {
      this.levels.push(halved(this.levels[this.levels.length - 1]));
    }
    return this.levels[n];
  }

  /**
   * What a network sees of a region: bilinear, from the level just finer than its pixels.
   *
   * As MediaPipe does, input pixel (0, 0) is taken at the region's corner itself, counted in pixel
   * centres.
   *
   * @param side of the network's input, pixels.
   * @param repeat whether the photo's edge repeats outside it; else it is black there.
   * @returns `side * side * 3` numbers from 0 to 255; null if the region misses the photo.
   */
  sample(region: Region, side: number, repeat: boolean): Float32Array | null {
    const n = Math.min(Math.max(0, Math.floor(Math.log2(region.side / side))), this.finest);
    const { rows, columns, rgba } = this.level(n);
    const scale = 0.5 ** n;
    const [cos, sin] = [Math.cos(region.angle), Math.sin(region.angle)].map(
      (value) => (value * region.side * scale) / side,
    );
    const [x, y] = [region.x * scale, region.y * scale];
    const reach = (side / 2) * (Math.abs(cos) + Math.abs(sin)) + 2;
    if (x + reach < 0 || y + reach < 0 || x - reach > columns || y - reach > rows) return null;
    const result = new Float32Array(side * side * 3);
    for (let row = 0, k = 0; row < side; row++) {
      for (let column = 0; column < side; column++, k += 3) {
        const [u, v] = [column - side / 2, row - side / 2];
        const seen = x + u * cos - v * sin;
        const across = this.isMirrored ? this.columns * scale - 1 - seen : seen;
        const down = y + u * sin + v * cos;
        const left = Math.floor(across);
        const top = Math.floor(down);
        const p = across - left;
        const q = down - top;
        // Past the border a corner counts as black, or as the edge's pixel.
        const inLeft = repeat || (left >= 0 && left < columns) ? 1 - p : 0;
        const inRight = repeat || (left >= -1 && left < columns - 1) ? p : 0;
        const inUpper = repeat || (top >= 0 && top < rows) ? 1 - q : 0;
        const inLower = repeat || (top >= -1 && top < rows - 1) ? q : 0;
        const upper = clamp(top, 0, rows - 1) * columns;
        const lower = clamp(top + 1, 0, rows - 1) * columns;
        const a = clamp(left, 0, columns - 1);
        const b = clamp(left + 1, 0, columns - 1);
        const [upperLeft, upperRight] = [(upper + a) * 4, (upper + b) * 4];
        const [lowerLeft, lowerRight] = [(lower + a) * 4, (lower + b) * 4];
        for (let c = 0; c < 3; c++) {
          result[k + c] =
            (rgba[upperLeft + c] * inLeft + rgba[upperRight + c] * inRight) * inUpper +
            (rgba[lowerLeft + c] * inLeft + rgba[lowerRight + c] * inRight) * inLower;
        }
      }
    }
    return result;
  }
}
