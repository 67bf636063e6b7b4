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
import { automatic, like, patterned, stopsFor, type Intent } from "./intent";
import { tint, type Likeness } from "./likeness";
import { ratioOf, read, together, type Reading } from "./reading";
import { PATTERNS } from "./recipe";
import { Skin, Solver, type Outcome } from "./solution";
import { groupWords, litWords, unlitWords } from "./wording";

const { GROUP, WHOLE } = constants;

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
  const added: (readonly Raster[])[] = [];
  for (const light of lights) added.push(await gains(light));
  const found = faces.map(({ view }, k) => {
    const solver = new Solver(new Skin(view), sum(lights, added.map((every) => every[k])), stopsFor(readings[k]));
    return solver.blind ? null : intent.solve(readings[k], solver);
  });
  if (found.every((one) => one === null)) {
    const pattern = wanted === null || typeof wanted === "string" ? wanted : undefined;
    const reason = unlitWords(pattern, ratioOf(together(readings)), lights[0]);
    return { lights: [{ ...lights[0], intensity: 0 }], fill: 1, shares: [], reason };
  }
  const rest = analyses.slice(faces.length).map(() => null);
  return joined(intent, lights, readings, [...found, ...rest]);
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

/** One setup of what was found for each face: common lights, and each face's share of them. */
function joined(
  intent: Intent,
  lights: readonly Light[],
  readings: readonly Reading[],
  found: readonly (Outcome | null)[],
): Setup {
  const lit = found.filter((one) => one !== null);
  const strongest = Math.max(...lit.map(({ intensity }) => intensity));
  const shares = found.map((one) => (one === null ? 0 : one.intensity / strongest));
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  // A face whose share is small keeps more of its light: taken is what suits all on average.
  const taken = lit.map((one) => 1 - one.fill);
  const mean = 1 - Math.min(total(taken) / total(shares), Math.max(...taken));
  const fill = mean > WHOLE ? 1 : mean;
  const scaled = lights.map((light) => ({ ...light, intensity: light.intensity * strongest }));
  const first = readings[found.findIndex((one) => one !== null)];
  const words = litWords(scaled[0], fill, ratioOf(first), lit[0], intent.aim(first), intent.gist);
  return {
    lights: scaled,
    fill,
    reason: found.length > 1 ? `${words} ${groupWords(shares)}` : words,
    shares: Math.min(...shares) < 1 ? shares : [],
  };
}
