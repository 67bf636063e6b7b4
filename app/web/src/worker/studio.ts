// SPDX-License-Identifier: Apache-2.0
/** What is done with photos beside the page: one is open, looked at once and relit many times. */
import { SPHERES, type SphereKind } from "../environment";
import { regionAgain } from "../face/landmark";
import { Perception } from "../face/perception";
import { Pyramid } from "../face/region";
import { Pixels } from "../image/raster";
import type { Light } from "../light";
import type { Models } from "../models/library";
import { decode, encode, QUALITY, type Output, type Photo } from "../photo/file";
import { Portrait } from "../portrait";
import { FULL_FILL, sharesOf, type Setup } from "../setup";
import { environmentOf } from "../stage/analysis";
import { keyGain } from "../stage/stages";
import { Trouble } from "../trouble";
import type {
  Asked,
  Look,
  Measured,
  MeasuredGain,
  Opened,
  Part,
  Picture,
  Recipe,
  Sample,
  ShownFace,
} from "./protocol";
import { shownFace, shownGain } from "./shown";

/** Longer side at most of the photo that the page holds: sharp on any screen until zoomed into. */
const PREVIEW_SIDE = 2048;
/**
 * Longer side of the photo whose edges a light follows while it is dragged: two cores without a GPU
 * give 16 results a second then, 14 at 512 pixels.
 */
const QUICK_SIDE = 448;
const SAMPLE_SIDE = 128;
/** Side of a sample over the larger side of the faces that it shows. */
const SAMPLE_ROOM = 1.6;
const SPHERE_SIDE = 96;
const ROUNDS = 5;

interface Open {
  readonly photo: Photo;
  portrait: Portrait | null;
}

export class Studio {
  private readonly perception: Perception;
  private current: Open | null = null;

  constructor(private readonly models: Models) {
    this.perception = new Perception(models);
  }

  /** Open a photo; the one before stays if it cannot be. */
  async open(file: Blob): Promise<Opened> {
    const photo = await decode(file);
    this.current = { photo, portrait: null };
    const { pixels, head, type, exif } = photo;
    const preview = smaller(pixels, PREVIEW_SIDE);
    const { rows, columns } = pixels;
    const { bits, isGrey } = head;
    return { rows, columns, preview, type, hasExif: exif !== null, bits, isGrey };
  }

  async find(): Promise<ShownFace[]> {
    if (this.current === null) throw new Trouble("worker", { message: "no photo" });
    const { current } = this;
    current.portrait = await Portrait.look(this.perception, this.models, current.photo.pixels);
    return current.portrait.faces.map((face) => shownFace(face, current.photo.pixels));
  }

  async look(faces: readonly number[]): Promise<Look> {
    const analysis = this.portrait.analyses[faces[0]];
    const environment = environmentOf(analysis);
    const shown = (kind: SphereKind): ImageData =>
      new ImageData(environment.sphere(kind, SPHERE_SIDE), SPHERE_SIDE, SPHERE_SIDE);
    return {
      setup: await this.portrait.suggest(faces),
      spheres: Object.fromEntries(SPHERES.map((kind) => [kind, shown(kind)])) as Look["spheres"],
      keyToFill: this.portrait.keyToFill(faces[0]),
    };
  }

  async gain({ faces, setup, isQuick }: Asked & { isQuick: boolean }): Promise<MeasuredGain> {
    const { portrait } = this;
    const side = isQuick ? QUICK_SIDE : undefined;
    const change = await portrait.change(setup, { faces, side });
    return {
      ...shownGain(change, portrait.at(side)),
      keyToFill: await portrait.expectedRatio(faces[0], setup, sharesOf(setup, 1)[0]),
    };
  }

  /** The faces under a setup of the library's, small. */
  async sample(faces: readonly number[], pattern: string | null): Promise<Sample> {
    const { portrait } = this;
    const setup = await portrait.suggest(faces, pattern ?? undefined);
    const { rows, columns } = portrait.photo;
    const boxes = faces.map((k) => portrait.faces[k].box);
    const left = Math.min(...boxes.map(([x]) => x));
    const top = Math.min(...boxes.map(([, y]) => y));
    const width = Math.max(...boxes.map(([x, , w]) => x + w)) - left;
    const height = Math.max(...boxes.map(([, y, , h]) => y + h)) - top;
    const square = Math.min(rows, columns, SAMPLE_ROOM * Math.max(width, height));
    const side = Math.min(QUICK_SIDE, (SAMPLE_SIDE / square) * Math.max(rows, columns));
    const picture = await portrait.render(setup, { faces, side: Math.ceil(side) });
    const scale = picture.columns / columns;
    const size = Math.max(1, Math.min(picture.rows, picture.columns, Math.round(square * scale)));
    const inside = (middle: number, limit: number): number =>
      Math.max(0, Math.min(limit - size, Math.round(middle * scale - size / 2)));
    const part = {
      left: inside(left + width / 2, picture.columns),
      top: inside(top + height / 2, picture.rows),
      columns: size,
      rows: size,
    };
    return { setup, picture: cut(picture, part) };
  }

  detail(part: Part): Picture {
    return cut(this.opened.photo.pixels, part);
  }

  /** The light of another photo, for this one. */
  async like(file: Blob, faces: readonly number[]): Promise<Setup> {
    const { pixels } = await decode(file);
    const other = await Portrait.look(this.perception, this.models, pixels);
    return this.portrait.like(other, faces);
  }

  async save({ faces, setup, output }: Asked & { output: Output }): Promise<Blob> {
    const { photo } = this.opened;
    const pixels = await this.portrait.render(setup, { faces, side: output.side });
    return encode(photo, pixels, output);
  }

  /** Relight a photo that is not the one open. */
  async relit(file: Blob, { pattern, setup }: Recipe, output: Partial<Output>): Promise<Blob> {
    const photo = await decode(file);
    const portrait = await Portrait.look(this.perception, this.models, photo.pixels);
    const used = setup ?? (await portrait.suggest(undefined, pattern ?? undefined));
    const pixels = await portrait.render(used, { side: output.side });
    return encode(photo, pixels, { type: photo.type, quality: QUALITY, keepsExif: true, ...output });
  }

  /** The best of several rounds, taking turns, so that a busy moment hits all alike. */
  async measure(light: Light): Promise<Measured> {
    const { photo } = this.opened;
    const [{ face, inputs }] = this.portrait.analyses;
    const pyramid = new Pyramid(photo.pixels);
    const region = regionAgain(face.landmarks);
    const best = { faceMesh: Infinity, key: Infinity, drag: Infinity };
    for (let round = 0; round < ROUNDS; round++) {
      const moved = { ...light, azimuth_deg: light.azimuth_deg + 1 + round };
      const setup: Setup = { lights: [moved], fill: FULL_FILL, reason: [] };
      const timed = async (name: keyof typeof best, task: () => Promise<unknown>): Promise<void> => {
        const start = performance.now();
        await task();
        best[name] = Math.min(best[name], performance.now() - start);
      };
      await timed("faceMesh", () => this.perception.landmarks(pyramid, region));
      await timed("key", () => keyGain(this.models, inputs, moved));
      await timed("drag", () => this.gain({ faces: [0], setup, isQuick: true }));
    }
    return best;
  }

  private get opened(): Open {
    if (this.current === null) throw new Trouble("worker", { message: "no photo" });
    return this.current;
  }

  private get portrait(): Portrait {
    const { portrait } = this.opened;
    if (portrait === null) throw new Trouble("noFace");
    return portrait;
  }
}

function cut({ columns, rgba }: Pixels, part: Part): Picture {
  const data = new Uint8ClampedArray(part.rows * part.columns * 4);
  for (let y = 0; y < part.rows; y++) {
    const start = ((part.top + y) * columns + part.left) * 4;
    data.set(rgba.subarray(start, start + part.columns * 4), y * part.columns * 4);
  }
  return { rows: part.rows, columns: part.columns, data };
}

/** The picture for the screen: the browser's own way of shrinking is quick. */
function smaller(pixels: Pixels, side: number): Picture {
  const { rows, columns, rgba } = pixels;
  const scale = Math.min(1, side / Math.max(rows, columns));
  if (scale === 1) return { rows, columns, data: rgba.slice() };
  const canvas = new OffscreenCanvas(columns, rows);
  const [wide, high] = [columns, rows].map((size) => Math.max(1, Math.round(size * scale)));
  const small = new OffscreenCanvas(wide, high).getContext("2d", { willReadFrequently: true });
  const whole = canvas.getContext("2d");
  if (whole === null || small === null) throw new Trouble("memory");
  whole.putImageData(new ImageData(rgba, columns, rows), 0, 0);
  small.imageSmoothingQuality = "high";
  small.drawImage(canvas, 0, 0, wide, high);
  const { data } = small.getImageData(0, 0, wide, high);
  return { rows: high, columns: wide, data: data as Uint8ClampedArray<ArrayBuffer> };
}
