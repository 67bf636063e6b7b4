// SPDX-License-Identifier: Apache-2.0
/**
 * The rule that sets lights up for one face or several, automatic or in a named pattern. A group
 * gets common lights, and each face its own share of them.
 */
import { rule as constants } from "../constants.json";
import { Raster } from "../image/raster";
import { rolledLight, type Light } from "../light";
import type { Setup } from "../setup";
import type { Analysis } from "../stage/analysis";
import { lifted } from "./direction";
import { automatic, like, patterned, stopsFor, type Intent } from "./intent";
import { tint, type Likeness } from "./likeness";
import { ratioOf, read, together, type Reading } from "./reading";
import { PATTERNS } from "./recipe";
import { Skin, Solver, type Outcome } from "./solution";
import { groupWords, litWords, unlitWords } from "./wording";

const { GROUP, HARDLY_SEEN, WHOLE } = constants;

/** Key gain of a unit light, camera frame, on the crop of each face. */
export type Gains = (light: Light) => Promise<readonly Raster[]>;
/** The automatic light, a pattern's name, or a reference's light. */
export type Wanted = string | Likeness | null;

/**
 * The setup that suits a photo's faces, a named pattern, or light like a reference's.
 *
 * @param analyses the largest face first.
 * @param most how many of the faces, the largest, are lit.
 */
export async function suggest(
  analyses: readonly Analysis[],
  gains: Gains,
  wanted: Wanted = null,
  most: number = GROUP,
): Promise<Setup> {
  const faces = analyses.slice(0, most);
  const readings = faces.map(read);
  const intent = intentFor(wanted, together(readings), faces[0]);
  const { roll } = faces[0].face.crop;
  const lights = intent.lights.map((light) => rolledLight(light, roll));
  if (wanted === null || typeof wanted === "string") lights[0] = lifted(lights[0], roll);
  const added: (readonly Raster[])[] = [];
  for (const light of lights) added.push(await gains(light));
  const solvers = faces.map(({ view }, k) => {
    const whole = sum(lights, added.map((every) => every[k]));
    return new Solver(new Skin(view), whole, stopsFor(intent, readings[k]));
  });
  const found = solvers.map((solver, k) => (solver.blind ? null : intent.solve(readings[k], solver)));
  const { fill, shares, strength } = joined(found);
  // What each face looks like under the intensity and fill that suit all of the group.
  const seen = solvers.map((solver, k) => solver.given(strength * shares[k], 1 - shares[k] * (1 - fill)));
  if (strength === 0 || (wanted === null && changeOf(readings, seen) < HARDLY_SEEN)) {
    const pattern = wanted === null || typeof wanted === "string" ? wanted : undefined;
    const reason = unlitWords(pattern, ratioOf(together(readings)), lights[0], faces.length);
    return { lights: [{ ...lights[0], intensity: 0 }], fill: 1, shares: [], reason };
  }
  const scaled = lights.map((light) => ({ ...light, intensity: light.intensity * strength }));
  const first = shares.findIndex((share) => share > 0);
  const own = readings[first];
  const outcome = { ...seen[first], pressed: found[first]?.pressed ?? false };
  const words = litWords(scaled[0], fill, ratioOf(own), outcome, intent.aim(own), intent.gist);
  const all = [...shares, ...analyses.slice(faces.length).map(() => 0)];
  return {
    lights: scaled,
    fill,
    reason: all.length > 1 ? [...words, ...groupWords(all)] : words,
    shares: Math.min(...all) < 1 ? all : [],
  };
}

/** What a setup is after, for a group's mean reading and its largest face. */
function intentFor(wanted: Wanted, reading: Reading, first: Analysis): Intent {
  const pose = first.face.cropPose;
  if (wanted === null) return automatic(reading, pose);
  if (typeof wanted !== "string") return like(wanted, tint(wanted, first), pose);
  const recipe = Object.hasOwn(PATTERNS, wanted) ? PATTERNS[wanted] : null;
  if (recipe === null) {
    const names = Object.keys(PATTERNS).join(", ");
    throw new Error(`"${wanted}" is no pattern of light; there are ${names}`);
  }
  return patterned(recipe, reading, pose);
}

/** What lights add together, by their intensities and colours. */
export function sum(lights: readonly Light[], gains: readonly Raster[]): Raster {
  const { columns, rows } = gains[0];
  const result = new Raster(rows, columns, 3);
  lights.forEach(({ color, intensity }, n) => {
    gains[n].data.forEach((value, i) => (result.data[i] += intensity * color[i % 3] * value));
  });
  return result;
}

/** Mean change over a group's faces, levels of 255. */
function changeOf(readings: readonly Reading[], seen: readonly Outcome[]): number {
  const areas = readings.map(({ size }) => size ** 2);
  return total(areas.map((area, k) => area * seen[k].change)) / total(areas);
}

/**
 * Intensity and fill for a group, and each face's share of both. A face whose share is small keeps
 * more of its light: what is taken suits all on average.
 */
function joined(found: readonly (Outcome | null)[]): {
  strength: number;
  fill: number;
  shares: number[];
} {
  const lit = found.filter((one) => one !== null);
  const strength = Math.max(0, ...lit.map(({ intensity }) => intensity));
  if (strength === 0) return { strength, fill: 1, shares: found.map(() => 0) };
  const shares = found.map((one) => (one === null ? 0 : one.intensity / strength));
  const taken = lit.map(({ fill }) => 1 - fill);
  const fill = 1 - Math.min(total(taken) / total(shares), Math.max(...taken));
  return { strength, fill: fill > WHOLE ? 1 : fill, shares };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
