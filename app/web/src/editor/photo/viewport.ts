// SPDX-License-Identifier: Apache-2.0
/** Which part of the photo is seen, and how large: zoom and pan. */
import { clamp } from "../../image/raster";

/** Screen pixels of a photo's pixel at most. */
const LARGEST = 8;

export class Viewport {
  /** Device pixels per pixel of the photo. */
  scale = 1;
  /** Where the photo's left upper corner is, in device pixels. */
  x = 0;
  y = 0;
  /** Device pixels per CSS pixel. */
  density = 1;
  /** Of the window, in device pixels. */
  width = 1;
  height = 1;
  private columns = 1;
  private rows = 1;
  private isFitted = true;

  /** @param changed called after every change. */
  constructor(private readonly changed: () => void) {}

  /** Say how large the window is, in CSS pixels. */
  resize(width: number, height: number, density: number): void {
    [this.width, this.height, this.density] = [
      Math.max(1, Math.round(width * density)),
      Math.max(1, Math.round(height * density)),
      density,
    ];
    if (this.isFitted) this.fit();
    else this.settle();
  }

  /** Show a photo of a size, all of it. */
  photo(columns: number, rows: number): void {
    [this.columns, this.rows] = [columns, rows];
    this.fit();
  }

  fit(): void {
    this.isFitted = true;
    this.scale = this.fitting;
    [this.x, this.y] = [0, 0];
    this.settle();
  }

  /** A pixel of the photo to a pixel of the screen, around the window's middle. */
  full(): void {
    this.zoom(1 / this.scale, this.width / this.density / 2, this.height / this.density / 2);
    this.scale = 1;
    [this.x, this.y] = [Math.round(this.x), Math.round(this.y)];
    this.settle();
  }

  /** Zoom by a factor around a point in CSS pixels. */
  zoom(factor: number, x: number, y: number): void {
    const scale = clamp(this.scale * factor, this.fitting, Math.max(LARGEST, this.fitting));
    const real = scale / this.scale;
    this.x = x * this.density - (x * this.density - this.x) * real;
    this.y = y * this.density - (y * this.density - this.y) * real;
    this.scale = scale;
    this.isFitted = scale <= this.fitting;
    this.settle();
  }

  /** Move the photo by CSS pixels. */
  pan(dx: number, dy: number): void {
    this.x += dx * this.density;
    this.y += dy * this.density;
    this.settle();
  }

  get isZoomed(): boolean {
    return !this.isFitted;
  }

  /** CSS pixels of a point in fractions of the photo. */
  place(u: number, v: number): [number, number] {
    return [
      (this.x + u * this.columns * this.scale) / this.density,
      (this.y + v * this.rows * this.scale) / this.density,
    ];
  }

  /** Fractions of the photo of a point in CSS pixels. */
  point(x: number, y: number): [number, number] {
    return [
      (x * this.density - this.x) / (this.columns * this.scale),
      (y * this.density - this.y) / (this.rows * this.scale),
    ];
  }

  /** The visible part of the photo, in its pixels. */
  part(): { left: number; top: number; columns: number; rows: number } {
    const left = clamp(Math.floor(-this.x / this.scale), 0, this.columns - 1);
    const top = clamp(Math.floor(-this.y / this.scale), 0, this.rows - 1);
    const right = clamp(Math.ceil((this.width - this.x) / this.scale), left + 1, this.columns);
    const bottom = clamp(Math.ceil((this.height - this.y) / this.scale), top + 1, this.rows);
    return { left, top, columns: right - left, rows: bottom - top };
  }

  private get fitting(): number {
    return Math.min(this.width / this.columns, this.height / this.rows);
  }

  /** Leave no gap beside the photo where it could fill it. */
  private settle(): void {
    const within = (at: number, size: number, room: number): number =>
      size <= room ? Math.round((room - size) / 2) : clamp(at, room - size, 0);
    this.x = within(this.x, this.columns * this.scale, this.width);
    this.y = within(this.y, this.rows * this.scale, this.height);
    this.changed();
  }
}
