// SPDX-License-Identifier: Apache-2.0
/** A photo looked at once: its faces, the light on them, and any lights added to it. */
import { linearized } from "./color";
import { portrait as constants } from "./constants.json";
import type { Face } from "./face/face";
import type { Perception } from "./face/perception";
import { findFaces } from "./face/search";
import { apply, type Change, type GainMap } from "./gain/apply";
import { Guide, noticeable, scaledOutline, type FaceGain } from "./gain/guide";
import { Pixels, Raster, roundEven } from "./image/raster";
import { resizeArea, shrinkPixels } from "./image/resample";
import type { Light } from "./light";
import { likeness } from "./placement/likeness";
import { cheekRatio, cheeks } from "./placement/cheek";
import { suggest, sum, type Wanted } from "./placement/rule";
import { Skin, Solver, uneven } from "./placement/solution";
import { sharesOf, type Setup } from "./setup";
import { analyze, faceGain, outlineOf, type Analysis } from "./stage/analysis";
import type { Networks } from "./stage/stages";
import { FINE, SIDE } from "./stage/view";
import { Trouble } from "./trouble";

const { FITS, GAINS, SIZES } = constants;

/** What part of a photo is relit, and how. */
export interface Options {
  /** Factor on all that the setup changes; 0 gives the photo as it is. */
  readonly strength?: number;
  /** Longer side of the result at most, pixels; without it the photo's own size. */
  readonly side?: number;
  /** The faces to light, by their numbers; without it all. */
  readonly faces?: readonly number[];
}

/** A photo at some size, its edges around some faces, and lights fitted to them. */
interface Fitted {
  readonly guide: Guide;
  readonly gains: Map<string, Raster>;
}

export class Portrait {
  private readonly gains: Map<string, FaceGain>[];
  private readonly fitted = new Map<string, Fitted>();
  private readonly skins = new Map<number, Skin>();
  private readonly sizes = new Map<number, Pixels>();

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
   * @throws Trouble if it shows no face.
   */
  static async look(perception: Perception, networks: Networks, photo: Pixels): Promise<Portrait> {
    const analyses: Analysis[] = [];
    for (const face of await findFaces(perception, photo)) {
      analyses.push(await analyze(perception, networks, photo, face));
    }
    if (analyses.length === 0) throw new Trouble("noFace");
    return new Portrait(networks, photo, analyses);
  }

  /** Largest first. */
  get faces(): readonly Face[] {
    return this.analyses.map(({ face }) => face);
  }

  /**
   * What a portrait photographer would do to the light on some of the faces, by their numbers; on
   * all without them.
   *
   * @param pattern a name of PATTERNS; without it what suits the photo.
   * @throws Error for an unknown pattern.
   */
  async suggest(faces: readonly number[] = this.all, pattern?: string): Promise<Setup> {
    return this.wanted(faces, pattern ?? null);
  }

  /** A setup that lights some of the faces as those of another photo are lit. */
  async like(other: Portrait, faces: readonly number[] = this.all): Promise<Setup> {
    return this.wanted(faces, likeness(other.analyses[0]));
  }

  private async wanted(faces: readonly number[], wanted: Wanted): Promise<Setup> {
    const gains = async (light: Light): Promise<Raster[]> => {
      const found: Raster[] = [];
      for (const face of faces) found.push((await this.predicted(face, light)).head);
      return found;
    };
    return suggest(faces.map((k) => this.analyses[k]), gains, wanted);
  }

  /** Brighter over darker cheek of a face, measured on a picture of the photo or on itself. */
  keyToFill(face: number, picture?: Pixels): number {
    const { face: seen, view } = this.analyses[face];
    const found = cheeks(view);
    if (picture === undefined) return cheekRatio(found, linearized(view.photo));
    const scale = Math.max(picture.rows, picture.columns) / Math.max(this.photo.rows, this.photo.columns);
    const crop = seen.crop.scaled(scale).extract(picture, FINE * SIDE);
    if (crop === null) throw new Error("the face lies outside the picture");
    return cheekRatio(found, linearized(shrinkPixels(crop, FINE).toRaster()));
  }

  /** The same under a setup, told from the crop alone: as quick as a drag needs it. */
  async expectedRatio(face: number, setup: Setup, share = 1): Promise<number> {
    const shining = setup.lights.filter(({ intensity }) => intensity > 0);
    if (shining.length === 0 && setup.fill === 1) return this.keyToFill(face);
    const gains: Raster[] = [];
    for (const light of shining) gains.push((await this.predicted(face, light)).head);
    const whole = gains.length > 0 ? sum(shining, gains) : new Raster(SIDE, SIDE, 3);
    const skin = this.skins.get(face) ?? new Skin(this.analyses[face].view);
    this.skins.set(face, skin);
    return uneven(new Solver(skin, whole, 0).given(share, 1 - share * (1 - setup.fill)));
  }

  /** Key gain G of a light's direction, softness and gloss, for unit intensity, white. */
  async gain(light: Light, { side, faces = this.all }: Options = {}): Promise<GainMap> {
    const fitted = this.edges(faces, side);
    const gain = await this.fit(fitted, light, faces, faces.map(() => 1));
    return { ...placed(fitted.guide), gain: noticeable(gain.map((value) => value)) };
  }

  /** The photo relit. */
  async render(setup: Setup, options: Options = {}): Promise<Pixels> {
    const { rows, columns, rgba } = this.at(options.side);
    const result = new Pixels(rows, columns, rgba.slice());
    if (options.strength === 0) return result;
    const { guide } = this.edges(options.faces ?? this.all, options.side);
    apply(result, await this.change(setup, options), guide.grain);
    return result;
  }

  /** How a setup changes the photo's light; runs the key network for new directions, softness and gloss alone. */
  async change(
    setup: Setup,
    { strength = 1, side, faces = this.all }: Options = {},
  ): Promise<Change> {
    const shares = sharesOf(setup, faces.length);
    const fitted = this.edges(faces, side);
    const fit = (light: Light): Promise<Raster> => this.fit(fitted, light, faces, shares);
    return changeBy(setup, fitted.guide, shares, fit, strength);
  }

  /** The photo, its longer side `side` at most. */
  at(side = Infinity): Pixels {
    const scale = this.scale(side);
    if (scale === 1) return this.photo;
    return kept(this.sizes, side, SIZES, () => {
      const { rows, columns } = this.photo;
      const [high, wide] = [rows, columns].map((size) => Math.max(1, roundEven(size * scale)));
      return Pixels.rounded(resizeArea(this.photo, high, wide));
    });
  }

  private get all(): number[] {
    return this.analyses.map((_, k) => k);
  }

  private scale(side: number): number {
    return Math.min(1, side / Math.max(this.photo.rows, this.photo.columns));
  }

  /** The edges of the photo at some size around some faces. */
  private edges(faces: readonly number[], side = Infinity): Fitted {
    return kept(this.fitted, [side, ...faces].join(), SIZES, () => {
      const scale = this.scale(side);
      const outlines = faces.map((k) => scaledOutline(outlineOf(this.analyses[k]), scale));
      return { guide: new Guide(this.at(side), outlines), gains: new Map() };
    });
  }

  /** A light's gain on the photo's edges, as it is before `noticeable`. */
  private async fit(
    fitted: Fitted,
    light: Light,
    faces: readonly number[],
    shares: readonly number[],
  ): Promise<Raster> {
    const predicted: FaceGain[] = [];
    for (const [k, face] of faces.entries()) {
      predicted.push(partOfGain(await this.predicted(face, light), shares[k]));
    }
    const key = [keyOf(light), ...shares].join();
    return kept(fitted.gains, key, FITS, () => fitted.guide.fit(predicted));
  }

  /** A light's gain on one face's crop, as the networks have it. */
  private async predicted(face: number, light: Light): Promise<FaceGain> {
    const [gains, key] = [this.gains[face], keyOf(light)];
    const gain = gains.get(key) ?? (await faceGain(this.networks, this.analyses[face], light));
    return kept(gains, key, GAINS, () => gain);
  }
}

/**
 * How a setup changes the light within a guide.
 *
 * @param shares of it that each face gets.
 * @param fit gives a light's gain on the guide's cells, as it is before `noticeable`.
 */
export async function changeBy(
  { lights, fill }: Setup,
  guide: Guide,
  shares: readonly number[],
  fit: (light: Light) => Promise<Raster>,
  strength = 1,
): Promise<Change> {
  const { rows, columns } = guide.grid;
  const sum = new Raster(rows, columns, 3);
  for (const light of lights) {
    const weights = light.color.map((value) => value * light.intensity);
    if (weights.every((value) => value === 0)) continue;
    const { data } = await fit(light);
    for (let i = 0; i < data.length; i += 3) {
      for (let c = 0; c < 3; c++) sum.data[i + c] += weights[c] * data[i + c];
    }
  }
  const gain = noticeable(sum);
  for (let i = 0; i < gain.data.length; i++) gain.data[i] *= strength;
  const taken = Math.min(strength, 1) * (1 - fill);
  const dimming = taken > 0 ? guide.taken(shares.map((share) => share * taken)) : null;
  return { ...placed(guide), gain, dimming };
}

/** A share of a face's gain. */
export function partOfGain(gain: FaceGain, share: number): FaceGain {
  if (share === 1) return gain;
  const part = (raster: Raster): Raster => raster.map((value) => value * share);
  return { head: part(gain.head), body: gain.body && part(gain.body) };
}

/** What a gain depends on: intensity and colour are free. */
export function keyOf({ azimuth_deg, elevation_deg, softness_deg, gloss }: Light): string {
  return [azimuth_deg, elevation_deg, softness_deg, gloss].join();
}

function placed({ grid }: Guide): Pick<GainMap, "left" | "top" | "factor"> {
  return { left: grid.left, top: grid.top, factor: grid.step };
}

/** What is known under a key, or else made; of more than `most`, what was used longest ago goes. */
function kept<K, V>(known: Map<K, V>, key: K, most: number, make: () => V): V {
  const value = known.has(key) ? (known.get(key) as V) : make();
  known.delete(key); // the most recent last
  known.set(key, value);
  for (const oldest of known.keys()) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
  return value;
}
