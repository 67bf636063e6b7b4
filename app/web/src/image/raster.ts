// SPDX-License-Identifier: Apache-2.0
/** Numbers and pixels on grids, read row by row. */

/** Anything that gives its rows as floats, channels interleaved. */
export interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  /** Copy a row into the beginning of `into`. */
  row(index: number, into: Float32Array): void;
}

/** Floats on a grid, row by row, channels interleaved. */
export class Raster implements Rows {
  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly channels: number,
    readonly data: Float32Array = new Float32Array(rows * columns * channels),
  ) {
    if (data.length !== rows * columns * channels) {
      throw new Error(`${rows} x ${columns} x ${channels} are not ${data.length} numbers`);
    }
  }

  row(index: number, into: Float32Array): void {
    const width = this.columns * this.channels;
    into.set(this.data.subarray(index * width, (index + 1) * width));
  }

  map(change: (value: number, index: number) => number): Raster {
    const result = new Float32Array(this.data.length);
    for (let i = 0; i < result.length; i++) result[i] = change(this.data[i], i);
    return new Raster(this.rows, this.columns, this.channels, result);
  }

  /** Number by number with another of the same size. */
  zip(other: Raster, join: (a: number, b: number) => number): Raster {
    const result = new Float32Array(this.data.length);
    for (let i = 0; i < result.length; i++) result[i] = join(this.data[i], other.data[i]);
    return new Raster(this.rows, this.columns, this.channels, result);
  }

  /** Each channel times the number of `weight`, which has one channel. */
  weighted(weight: Raster): Raster {
    const count = this.channels;
    const result = new Float32Array(this.data.length);
    for (let i = 0, k = 0; i < weight.data.length; i++) {
      for (let c = 0; c < count; c++, k++) result[k] = this.data[k] * weight.data[i];
    }
    return new Raster(this.rows, this.columns, count, result);
  }

  /** Each row from right to left. */
  mirrored(): Raster {
    const result = new Raster(this.rows, this.columns, this.channels);
    for (let i = 0; i < this.rows * this.columns; i++) {
      const from = (i + this.columns - 1 - 2 * (i % this.columns)) * this.channels;
      result.data.set(this.data.subarray(from, from + this.channels), i * this.channels);
    }
    return result;
  }

  /** One channel by itself. */
  channel(index: number): Raster {
    const result = new Raster(this.rows, this.columns, 1);
    for (let i = 0; i < result.data.length; i++) result.data[i] = this.data[i * this.channels + index];
    return result;
  }
}

/** Rows as floats in memory. */
export function loaded(source: Rows): Raster {
  const { rows, columns, channels } = source;
  const result = new Raster(rows, columns, channels);
  const width = columns * channels;
  for (let y = 0; y < rows; y++) source.row(y, result.data.subarray(y * width, (y + 1) * width));
  return result;
}

/** A picture: sRGB bytes and alpha, row by row, as a canvas has them. */
export class Pixels implements Rows {
  readonly channels = 3;

  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly rgba: Uint8ClampedArray<ArrayBuffer>,
  ) {
    if (!(rows > 0 && columns > 0 && rgba.length === rows * columns * 4)) {
      throw new Error(`${rows} x ${columns} pixels are not ${rgba.length} bytes`);
    }
  }

  /** Colours of a row from 0 to 255. */
  row(index: number, into: Float32Array): void {
    const start = index * this.columns * 4;
    for (let x = 0, k = 0; x < this.columns; x++) {
      const at = start + x * 4;
      into[k++] = this.rgba[at];
      into[k++] = this.rgba[at + 1];
      into[k++] = this.rgba[at + 2];
    }
  }

  /** Encoded sRGB in [0, 1], three channels. */
  toRaster(): Raster {
    const result = new Raster(this.rows, this.columns, 3);
    for (let i = 0, k = 0; k < result.data.length; i += 4) {
      for (let c = 0; c < 3; c++) result.data[k++] = this.rgba[i + c] / 255;
    }
    return result;
  }

  /** From colours in [0, 255], rounded, opaque. */
  static rounded(values: Raster): Pixels {
    const rgba = new Uint8ClampedArray(values.rows * values.columns * 4);
    for (let i = 0, k = 0; i < rgba.length; i += 4) {
      for (let c = 0; c < 3; c++) rgba[i + c] = Math.floor(values.data[k++] + 0.5);
      rgba[i + 3] = 255;
    }
    return new Pixels(values.rows, values.columns, rgba);
  }
}

/** A rectangle of a picture as one of its own; past the border of the picture its edge repeats. */
export class Window implements Rows {
  readonly channels: number;
  private readonly line: Float32Array;

  constructor(
    private readonly source: Rows,
    private readonly left: number,
    private readonly top: number,
    readonly rows: number,
    readonly columns: number,
  ) {
    this.channels = source.channels;
    this.line = new Float32Array(source.columns * source.channels);
  }

  row(index: number, into: Float32Array): void {
    const { source, channels } = this;
    source.row(clamp(this.top + index, 0, source.rows - 1), this.line);
    for (let x = 0; x < this.columns; x++) {
      const from = clamp(this.left + x, 0, source.columns - 1) * channels;
      for (let c = 0; c < channels; c++) into[x * channels + c] = this.line[from + c];
    }
  }
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** The nearest whole number; of two the even one, as Python and OpenCV round. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
