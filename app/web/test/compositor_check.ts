// SPDX-License-Identifier: Apache-2.0
/** In a browser: the picture that the GPU shows against the one that is saved, both made up. */
import { createCompositor } from "../src/drawing/compositor";
import { apply } from "../src/gain/apply";
import { Pixels, Raster } from "../src/image/raster";

const [ROWS, COLUMNS] = [48, 64];
const BOX = { left: 7, top: 5, rows: 36, columns: 48 };

/** Largest difference in levels between the two, for light added and light taken away. */
function largestDifference(): number {
  const photo = new Pixels(ROWS, COLUMNS, new Uint8ClampedArray(ROWS * COLUMNS * 4));
  for (let i = 0; i < photo.rgba.length; i += 4) {
    const [x, y] = [(i / 4) % COLUMNS, Math.floor(i / 4 / COLUMNS)];
    photo.rgba.set([x * 4, y * 5, (x * y) % 256, 255], i);
  }
  const data = new Float32Array(BOX.rows * BOX.columns * 4);
  for (let i = 0; i < data.length; i += 4) {
    const [x, y] = [(i / 4) % BOX.columns, Math.floor(i / 4 / BOX.columns)];
    const [light, taken] = [Math.max(0, x - 9) / 12, Math.max(0, y - 6) / 40];
    data.set([light, light * 0.8, light * 0.5, taken], i);
  }
  const canvas = document.createElement("canvas");
  const compositor = createCompositor(canvas, () => {});
  const picture = { rows: ROWS, columns: COLUMNS, data: photo.rgba.slice() };
  compositor.show({ picture, columns: COLUMNS, rows: ROWS });
  const gain = {
    left: BOX.left / COLUMNS,
    top: BOX.top / ROWS,
    width: BOX.columns / COLUMNS,
    height: BOX.rows / ROWS,
    rows: BOX.rows,
    columns: BOX.columns,
    data,
    keyToFill: 1,
  };
  compositor.light(gain);
  compositor.draw({ x: 0, y: 0, scale: 1, width: COLUMNS, height: ROWS, split: 0 });
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [COLUMNS, ROWS];
  const context = copy.getContext("2d") as CanvasRenderingContext2D;
  context.drawImage(canvas, 0, 0);
  const shown = context.getImageData(0, 0, COLUMNS, ROWS).data;
  const cells = new Raster(BOX.rows, BOX.columns, 4, data);
  const added = new Raster(BOX.rows, BOX.columns, 3);
  for (let i = 0; i < added.data.length; i++) added.data[i] = data[i + Math.floor(i / 3)];
  const before = photo.rgba.slice();
  apply(photo, { ...BOX, factor: 1, gain: added, dimming: cells.channel(3) });
  if (photo.rgba.every((value, i) => value === before[i])) throw new Error("nothing has changed");
  return shown.reduce((most, value, i) => Math.max(most, Math.abs(value - photo.rgba[i])), 0);
}
Object.assign(window, { largestDifference });
