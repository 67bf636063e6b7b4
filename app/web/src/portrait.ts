// SPDX-License-Identifier: Apache-2.0
/** A photo looked at once: its faces, the light on them, and any lights added to it. */
import type { Perception } from "./face/detector";
import { faceSize, findFaces, type Face } from "./face/face";
import { apply, type GainMap } from "./gain/apply";
import { Guide } from "./gain/guide";
import { Pixels, Raster, roundEven } from "./image/raster";
import { resizeArea } from "./image/resample";
import { placeGroup, WHITE, type Light } from "./light";
import { FULL_FILL, type Setup } from "./setup";
import { analyze, outlineOf, placeOn, type Analysis } from "./stage/analysis";
import { keyGain, type Networks } from "./stage/stages";
import { SIDE } from "./stage/view";

/** Gains kept of each face: a light that is moved back costs nothing. */
const MOST_GAINS = 8;

/** What part of a photo is relit, and how. */
export interface Options {
  /** Factor on all that the setup changes; 0 gives the photo as it is. */
  readonly strength?: number;
  /** Longer side of the result at most, pixels; without it the photo's own size. */
  readonly side?: number;
  /** The faces to light, by their numbers; without it all. */
  readonly faces?: readonly number[];
}

/** The photo at some size, and its edges around some faces. */
interface Fitted {
  readonly side: number;
  readonly faces: string;
  readonly guide: Guide;
}

export class Portrait {
  private readonly gains: Map<string, Raster>[];
  private fitted: Fitted | null = null;
  private small: { readonly side: number; readonly pixels: Pixels } | null = null;

  /** @param analyses of the photo's faces, largest first. */
  constructor(
    private readonly networks: Networks,
    readonly photo: Pixels,
    readonly analyses: readonly Analysis[],
  ) {
    this.gains = analyses.map(() => new Map());
  }

  /**
   * Look at a photo.
   *
   * @throws in words, if it shows no face.
   */
  static async look(perception: Perception, networks: Networks, photo: Pixels): Promise<Portrait> {
    const analyses: Analysis[] = [];
    for (const face of await findFaces(perception, photo)) {
      analyses.push(await analyze(perception, networks, photo, face));
    }
    if (analyses.length === 0) {
      throw new Error("No face found in this photo. If there is one, crop closer to it.");
    }
    return new Portrait(networks, photo, analyses);
  }

  /** Largest first. */
  get faces(): readonly Face[] {
    return this.analyses.map(({ face }) => face);
  }

  /** The automatic setup for some of the faces, by their numbers; for all without them. */
  suggest(faces: readonly number[] = this.all): Setup {
    const chosen = faces.map((k) => this.analyses[k]);
    const { light, reason } = placeGroup(
      chosen.map(placeOn),
      chosen.map(({ face }) => faceSize(face)),
    );
    return { lights: [light], fill: FULL_FILL, reason };
  }

  /** Key gain G of a light's direction and softness, for unit intensity and white light. */
  gain(light: Light, options: Options = {}): Promise<GainMap> {
    const one = { ...light, intensity: 1, color: WHITE };
    return this.change({ lights: [one], fill: FULL_FILL, reason: "" }, options);
  }

  /** The photo relit. */
  async render(setup: Setup, options: Options = {}): Promise<Pixels> {
    const { rows, columns, rgba } = this.at(options.side);
    const result = new Pixels(rows, columns, rgba.slice());
    if (options.strength !== 0) apply(result, await this.change(setup, options));
    return result;
  }

  /** What a setup multiplies the photo's light by, less 1, on cells around the faces. */
  async change(setup: Setup, { strength = 1, side, faces = this.all }: Options = {}): Promise<GainMap> {
    const sums: Raster[] = [];
    for (const face of faces) sums.push(await this.added(face, setup.lights));
    return this.guide(side, faces).fit(sums, setup.fill, strength);
  }

  /** The photo, its longer side `side` at most. */
  at(side = Infinity): Pixels {
    const { rows, columns } = this.photo;
    const scale = side / Math.max(rows, columns);
    if (scale >= 1) return this.photo;
    if (this.small?.side !== side) {
      const [high, wide] = [rows, columns].map((size) => Math.max(1, roundEven(size * scale)));
      this.small = { side, pixels: Pixels.rounded(resizeArea(this.photo, high, wide)) };
    }
    return this.small.pixels;
  }

  private get all(): number[] {
    return this.analyses.map((_, k) => k);
  }

  /** Sum of `k c G` over lights, three channels on a face's crop. */
  private async added(face: number, lights: readonly Light[]): Promise<Raster> {
    const total = new Raster(SIDE, SIDE, 3);
    for (const light of lights) {
      const weights = light.color.map((value) => value * light.intensity);
      if (weights.every((value) => value === 0)) continue;
      const gain = await this.predicted(face, light);
      for (let i = 0; i < total.data.length; i++) total.data[i] += weights[i % 3] * gain.data[i];
    }
    return total;
  }

  /** G of one face as the network predicts it: kept, since intensity and colour are free. */
  private async predicted(face: number, light: Light): Promise<Raster> {
    const known = this.gains[face];
    const key = [light.azimuth_deg, light.elevation_deg, light.softness_deg].join();
    const gain = known.get(key) ?? (await keyGain(this.networks, this.analyses[face].inputs, light));
    known.delete(key); // the most recent last
    known.set(key, gain);
    const [oldest] = known.keys();
    if (known.size > MOST_GAINS) known.delete(oldest);
    return gain;
  }

  /** The edges of the photo at some size around some faces; the last one asked for is kept. */
  private guide(side = Infinity, faces: readonly number[]): Guide {
    const key = faces.join();
    if (this.fitted?.side !== side || this.fitted.faces !== key) {
      const pixels = this.at(side);
      const scale = Math.min(1, side / Math.max(this.photo.rows, this.photo.columns));
      const outlines = faces.map((k) => {
        const outline = outlineOf(this.analyses[k]);
        return scale < 1 ? { ...outline, crop: outline.crop.scaled(scale) } : outline;
      });
      this.fitted = { side, faces: key, guide: new Guide(pixels, outlines) };
    }
    return this.fitted.guide;
  }
}
