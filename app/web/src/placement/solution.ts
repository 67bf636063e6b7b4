// SPDX-License-Identifier: Apache-2.0
/**
 * Intensity and fill together, so that a face's pixels come out as they are wanted: its own pixels
 * are relit on the crop, and what is wanted of them is measured on the outcome.
 */
import { encodedGain, luminance, toLinear } from "../color";
import { solution as constants } from "../constants.json";
import { bend, LIFT, scaled } from "../gain/apply";
import { trustIn } from "../gain/edge";
import { clamp, type Raster } from "../image/raster";
import type { View } from "../stage/view";
import { cheeks, middle } from "./cheek";

const { LEAST_FILL, NOTHING, PRESSED, STEPS, STRONGEST_KEY } = constants;

/** A face's pixels once they are relit. */
export interface Outcome {
  /** k of the key. */
  readonly intensity: number;
  /** Share of the existing light left. */
  readonly fill: number;
  /** Part of the face's light that the key makes. */
  readonly share: number;
  /** Right cheek over left cheek. */
  readonly ratio: number;
  /** Mean luminance over what it was. */
  readonly brightness: number;
  /** Mean absolute change, levels of 255. */
  readonly change: number;
  /** Whether highlights or the limit on lifting take a tenth of what is wanted. */
  readonly pressed: boolean;
}

/** Key-to-fill, whichever side is brighter. */
export function uneven({ ratio }: Outcome): number {
  return Math.max(ratio, 1 / ratio);
}

/** The ratio of the cheek on a side, +1 image right, over the other. */
export function outcomeTowards({ ratio }: Outcome, side: number): number {
  return side > 0 ? ratio : 1 / ratio;
}

/** The pixels of a face that a setup is solved on; all of the crop where no face was drawn. */
export class Skin {
  /** Where they lie on the crop, row by row. */
  readonly cells: Int32Array;
  /** Encoded colours in [0, 1]. */
  readonly encoded: Float32Array;
  /** Share of added light that dark pixels get. */
  readonly trust: Float32Array;
  private readonly left: Int32Array;
  private readonly right: Int32Array;

  constructor(view: View) {
    const { data } = view.mesh.mask;
    const all = Int32Array.from(data, (_, i) => i);
    const face = all.filter((i) => data[i] > 0);
    const cells = face.length > 0 ? face : all;
    const trust = trustIn(view.photo).data;
    const measured = cheeks(view);
    const which = Int32Array.from(cells, (_, n) => n);
    this.cells = cells;
    this.encoded = ofCells(view.photo, cells);
    this.trust = Float32Array.from(cells, (cell) => trust[cell]);
    this.left = which.filter((n) => measured.left.data[cells[n]] > 0);
    this.right = which.filter((n) => measured.right.data[cells[n]] > 0);
  }

  /**
   * The pixels with a key added and the existing light at `fill`, encoded.
   *
   * @param gain key gain of unit intensity on these pixels, trusted.
   */
  relit(gain: Float32Array, intensity: number, fill: number): Float32Array {
    const result = new Float32Array(this.encoded.length);
    const kept = encodedGain(fill);
    const [before, after] = [new Float32Array(3), new Float32Array(3)];
    for (let i = 0; i < result.length; i += 3) {
      for (let c = 0; c < 3; c++) {
        const value = this.encoded[i + c];
        const whole = Math.min(fill + intensity * gain[i + c], LIFT);
        before[c] = scaled(value, fill, kept);
        after[c] = scaled(value, whole, encodedGain(whole));
      }
      bend(before, after);
      result.set(after, i);
    }
    return result;
  }

  /** Right cheek over left, mean brightness over what it was, and the change in levels. */
  measure(after: Float32Array): Pick<Outcome, "ratio" | "brightness" | "change"> {
    const [shown, was] = [brightness(after), brightness(this.encoded)];
    const cheek = (which: Int32Array): number =>
      middle(Float32Array.from(which, (n) => shown[n]));
    let change = 0;
    for (let i = 0; i < after.length; i++) change += Math.abs(after[i] - this.encoded[i]);
    return {
      ratio: cheek(this.right) / cheek(this.left),
      brightness: mean(shown) / Math.max(mean(was), NOTHING),
      change: (change / after.length) * 255,
    };
  }
}

/** Finds intensity and fill for one face, one direction of the key and one brightness. */
export class Solver {
  private readonly gain: Float32Array;
  private readonly wanted: number;
  /** Mean brightness that unit intensity adds, over what is there. */
  private readonly each: number;

  /**
   * @param gain key gain of unit intensity on the crop, three channels.
   * @param stops by which the face's mean brightness is to change.
   * @param strongest intensity of the key.
   */
  constructor(
    private readonly skin: Skin,
    private readonly whole: Raster,
    private readonly stops: number,
    private readonly strongest: number = STRONGEST_KEY,
  ) {
    this.wanted = 2 ** stops;
    this.gain = ofCells(whole, skin.cells).map((value, i) => value * skin.trust[Math.floor(i / 3)]);
    const was = skin.encoded.map(toLinear);
    const added = was.map((value, i) => value * this.gain[i]);
    this.each = mean(luminances(added)) / Math.max(mean(luminances(was)), NOTHING);
  }

  /** Whether the key does not reach the face. */
  get blind(): boolean {
    return this.each < NOTHING;
  }

  /** The share that brightens the face as wanted with all of the existing light kept. */
  get least(): number {
    return Math.max(0, 1 - 1 / this.wanted);
  }

  /** The face when the key makes a share of its light; what highlights take is given back once. */
  at(share: number): Outcome {
    const found = this.attempt(share, this.wanted);
    const lost = clamp(this.wanted / Math.max(found.brightness, NOTHING), 1 / LIFT, LIFT);
    const other = this.attempt(share, this.wanted * lost);
    return { ...other, pressed: lost > PRESSED && this.spares(other) };
  }

  /** Whether the key might be stronger. */
  spares(outcome: Outcome): boolean {
    return outcome.intensity < (1 - NOTHING) * this.strongest;
  }

  /** The face under a key of an intensity that is not solved for. */
  given(intensity: number, fill: number): Outcome {
    const measured = this.skin.measure(this.skin.relit(this.gain, intensity, fill));
    return { intensity, fill, share: 0, ...measured, pressed: false };
  }

  /** The same for another brightness, no less than this one's. */
  brighter(stops: number): Solver {
    return new Solver(this.skin, this.whole, Math.max(this.stops, stops), this.strongest);
  }

  /** The same for a face that is darker by so much. */
  darker(stops: number): Solver {
    return new Solver(this.skin, this.whole, this.stops - stops, this.strongest);
  }

  /** The same with a key of this intensity at most, beside more of the existing light. */
  noStronger(intensity: number): Solver {
    return new Solver(this.skin, this.whole, this.stops, intensity);
  }

  /** The smallest share of the key, from `least` to `most`, that reaches something; else `most`. */
  until(reached: (outcome: Outcome) => boolean, least: number, most: number): Outcome {
    const low = Math.max(least, this.least);
    const high = Math.max(most, this.least);
    const first = this.at(low);
    const last = this.at(high);
    if (reached(first)) return first;
    return reached(last) ? narrowed((share) => this.at(share), reached, low, high, last) : last;
  }

  private attempt(share: number, wanted: number): Outcome {
    const most = Math.max(LEAST_FILL, (1 - share) * wanted, wanted - this.strongest * this.each);
    const fill = Math.min(1, most);
    const needed = Math.max(0, wanted - fill) / Math.max(this.each, NOTHING);
    return { ...this.given(Math.min(this.strongest, needed), fill), share };
  }
}

/** Three channels of some cells. */
function ofCells({ data }: Raster, cells: Int32Array): Float32Array {
  const result = new Float32Array(cells.length * 3);
  cells.forEach((cell, n) => result.set(data.subarray(cell * 3, cell * 3 + 3), n * 3));
  return result;
}

function brightness(encoded: Float32Array): Float32Array {
  return luminances(encoded.map(toLinear));
}

function luminances(linear: Float32Array): Float32Array {
  const result = new Float32Array(linear.length / 3);
  for (let n = 0, i = 0; n < result.length; n++, i += 3) {
    result[n] = luminance(linear[i], linear[i + 1], linear[i + 2]);
  }
  return result;
}

function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** The outcome of the smallest number that reaches something, as not `low` but `high` does: `last`. */
export function narrowed(
  at: (value: number) => Outcome,
  reached: (outcome: Outcome) => boolean,
  low: number,
  high: number,
  last: Outcome,
): Outcome {
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    const half = at(middle);
    if (reached(half)) [high, last] = [middle, half];
    else low = middle;
  }
  return last;
}
