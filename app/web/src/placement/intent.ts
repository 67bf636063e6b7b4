// SPDX-License-Identifier: Apache-2.0
/** What a setup is after: its lights' directions, and how strong they are to be on a face. */
import { direction, intent as constants } from "../constants.json";
import type { Matrix, Vector } from "../geometry";
import type { Light } from "../light";

import { automaticKey, headLight, patternLights, sideOf } from "./direction";
import type { Likeness } from "./likeness";
import { dimnessOf, ratioOf, towardsSide, type Reading } from "./reading";
import { BALANCE, type Recipe } from "./recipe";
import { narrowed, outcomeTowards, uneven, type Outcome, type Solver } from "./solution";
import { gist, gistOf, type Phrase } from "./wording";

const { DARKER_STOPS, DIM, DIMNESS, KEY_TO_FILL, LIKE_SHARES, PATTERN_KEY, PATTERN_STOPS } = constants;
const { SEEN, SETTLED, SHARES, SHORT, SPARE_STOPS, STEEPER, STOPS, STRONGEST } = constants;

export interface Intent {
  /** For an upright head; the first is the key, of unit intensity. */
  readonly lights: Light[];
  /** How strong they are to be on a face; null leaves it as it is. */
  readonly solve: (reading: Reading, solver: Solver) => Outcome | null;
  /** What they do. */
  readonly gist: Phrase;
  /** Key-to-fill aimed at on a face; 0 for none. */
  readonly aim: (reading: Reading) => number;
  /** Stops by which a face is brightened at most. */
  readonly mostStops?: number;
}

/**
 * What suits a face, or a group of which this is the mean.
 *
 * @param headPose rotation from the largest head to the frame where it is upright.
 */
export function automatic(reading: Reading, headPose: Matrix): Intent {
  const side = sideOf(reading);
  if (ratioOf(reading) > STRONGEST && dimnessOf(reading) >= DIM) {
    const lights = patternLights(BALANCE, side, headPose);
    return { lights, solve: raised, gist: gist("brought"), aim: () => 0 };
  }
  const solve = (own: Reading, solver: Solver): Outcome | null => {
    if (ratioOf(own) > STRONGEST && dimnessOf(own) < DIM) return null;
    const goal = steeper(own, side);
    const reached = (outcome: Outcome): boolean => outcomeTowards(outcome, side) >= goal;
    let found = solver.until(reached, SHARES[0], SHARES[1]);
    if (!reached(found)) {
      const near = Math.max(0, 1 - (1 - outcomeTowards(found, side) / goal) / SHORT);
      found = solver.at(Math.max(SETTLED + (found.share - SETTLED) * near, solver.least));
    }
    return seen(found, solver, side) ?? seen(found, solver.brighter(SPARE_STOPS), side);
  };
  const lights = [automaticKey(reading)];
  return { lights, solve, gist: gist("kept"), aim: (own) => steeper(own, side) };
}

/** A named pattern; arguments as for `automatic`. */
export function patterned(recipe: Recipe, reading: Reading, headPose: Matrix): Intent {
  const side = sideOf(reading);
  const isBalance = recipe.name === BALANCE.name;
  const [least, most] = recipe.shares;
  const solve = (own: Reading, solver: Solver): Outcome | null => {
    if (isBalance) return balanced(own, solver);
    if (recipe.intensity !== 0) return solver.given(recipe.intensity, recipe.fill);
    const reached = (outcome: Outcome): boolean => outcomeTowards(outcome, side) >= recipe.ratio;
    const softer = solver.noStronger(PATTERN_KEY);
    const found = softer.until(reached, least, most);
    const enough = (outcome: Outcome): boolean => reached(outcome) || softer.spares(outcome);
    return enough(found) ? found : darker(softer, enough, most);
  };
  const aim = isBalance ? 0 : recipe.ratio;
  return {
    lights: patternLights(recipe, side, headPose),
    solve,
    gist: gistOf(recipe),
    aim: () => aim,
    mostStops: isBalance ? undefined : PATTERN_STOPS,
  };
}

/** The outcome of a share on the face that is darker by the least that is enough. */
function darker(solver: Solver, enough: (outcome: Outcome) => boolean, share: number): Outcome {
  const at = (stops: number): Outcome => {
    const dim = solver.darker(stops);
    return dim.at(Math.max(share, dim.least));
  };
  const last = at(DARKER_STOPS);
  return enough(last) ? narrowed(at, enough, 0, DARKER_STOPS, last) : last;
}

/** Light like a reference's, of a colour; `headPose` as for `automatic`. */
export function like(wanted: Likeness, color: Vector, headPose: Matrix): Intent {
  const { azimuth_deg, elevation_deg, ratio } = wanted;
  const key = headLight(azimuth_deg, elevation_deg, headPose, direction.SOFTNESS_DEG);
  const side = azimuth_deg > 0 ? 1 : -1;
  return {
    lights: [{ ...key, color }],
    solve: (_, solver) =>
      solver.until((o) => outcomeTowards(o, side) >= ratio, LIKE_SHARES[0], LIKE_SHARES[1]),
    gist: gist("like"),
    aim: () => ratio,
  };
}

/** Stops by which a face's brightness is to change. */
export function stopsFor({ mostStops = Infinity }: Intent, reading: Reading): number {
  return Math.min(usualStops(reading), mostStops);
}

function usualStops(reading: Reading): number {
  const dimness = dimnessOf(reading);
  const last = DIMNESS.length - 1;
  if (dimness <= DIMNESS[0]) return STOPS[0];
  if (dimness >= DIMNESS[last]) return STOPS[last];
  const above = DIMNESS.findIndex((value) => value > dimness);
  const part = (dimness - DIMNESS[above - 1]) / (DIMNESS[above] - DIMNESS[above - 1]);
  return STOPS[above - 1] + (STOPS[above] - STOPS[above - 1]) * part;
}

/** Key-to-fill that the automatic light aims at on a face. */
function steeper(reading: Reading, side: number): number {
  return Math.min(Math.max(KEY_TO_FILL, STEEPER * towardsSide(reading, side)), STRONGEST);
}

/** A dim face that is harshly lit is filled: all of the existing light stays. */
function raised(_: Reading, solver: Solver): Outcome | null {
  const found = solver.at(solver.least);
  return found.change >= SEEN ? found : null;
}

/** An outcome, its key made stronger until it is noticed; null if it never is. */
function seen(found: Outcome, solver: Solver, side: number): Outcome | null {
  const enough = (outcome: Outcome): boolean =>
    outcome.change >= SEEN || outcomeTowards(outcome, side) > STRONGEST;
  const best = found.change < SEEN ? solver.until(enough, found.share, SHARES[1]) : found;
  return best.change >= SEEN ? best : null;
}

/** Soft light until a face's ratio is that of balance, or as near to it as it comes. */
function balanced(reading: Reading, solver: Solver): Outcome | null {
  if (ratioOf(reading) <= BALANCE.ratio) return null;
  const even = (outcome: Outcome): boolean =>
    uneven(outcome) <= BALANCE.ratio && outcome.change >= SEEN;
  const found = solver.until(even, BALANCE.shares[0], BALANCE.shares[1]);
  if (even(found)) return found;
  const other = solver.at(solver.least);
  return uneven(other) < uneven(found) ? other : found;
}
