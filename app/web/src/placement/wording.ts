// SPDX-License-Identifier: Apache-2.0
/**
 * What was set up, told in parts that every language has its words for: first for everybody, then
 * with the numbers.
 */
import { intent, wording as constants } from "../constants.json";
import type { Light } from "../light";
import { BALANCE, PATTERNS, type Recipe } from "./recipe";
import { uneven, type Outcome } from "./solution";

const { BEHIND_DEG, DARKER, FRONT_DEG, HEIGHTS_DEG, RAISED, SOFT_DEG, UNTOUCHED, WITHIN } = constants;

/** The library's own words; what stands in braces is filled in. */
const ENGLISH = {
  soft: "Soft",
  crisp: "Crisp",
  standing: "{place}, {height}",
  front: "from the front",
  left: "from the left",
  right: "from the right",
  behindLeft: "from behind on the left",
  behindRight: "from behind on the right",
  below: "from below",
  level: "at the height of the eyes",
  above: "a little above the eyes",
  high: "high above the eyes",
  angles: "{across}° to the image {side} and {far}° {height}",
  sideLeft: "left",
  sideRight: "right",
  up: "up",
  down: "down",
  plain: "{kind} key {standing}; {gist}{raised}.",
  raised: ", and the face is raised by {stops} stops",
  darker: ", and the face is {stops} stops darker",
  numbers: "Key {angles}, intensity {intensity}, {fill}: key-to-fill {before}:1 becomes {after}:1{limit}.",
  fill: "fill {stops} stops",
  kept: "the existing light kept",
  pressed: "; for {aim}:1 the bright side has no room left",
  strong: "; {aim}:1 would take a key too strong to look natural",
  manyLit: "No light added: most of the {faces} faces are lit well, and a key would spoil it.",
  evenlyLit: "No light added: the face is lit evenly already.",
  stronglyLit: "No light added: the light that is there is strong, and is left alone.",
  unseen: "No light added: none that looks natural would be seen.",
  existing: "Key-to-fill is {ratio}:1; a key would stand {angles}.",
  group: "{lit} of {all} faces are lit{least}.",
  least: ", the least of them with {percent}% of this",
  gist_kept: intent.KEPT,
  gist_brought: intent.BROUGHT,
  gist_like: "as in the reference",
};
/** What each pattern does, in the library's words. */
const GISTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(PATTERNS).map(({ name, gist }) => [`gist_${name}`, gist]),
);

type Key = keyof typeof ENGLISH;
/** A language's words; a pattern that it does not know goes by the library's. */
export type Words = Readonly<Record<Key, string> & Record<string, string>>;

/** A part: its words' name, and what fills their gaps. */
export interface Phrase {
  readonly key: string;
  readonly values: Readonly<Record<string, string | Phrase>>;
}

/** Why a setup is as it is, sentence by sentence; empty for the user's own. */
export type Reason = readonly Phrase[];

/** A reason in a language's words. */
export function spoken(reason: Reason, words: Words = { ...ENGLISH, ...GISTS }): string {
  const filled = ({ key, values }: Phrase): string =>
    (words[key] ?? GISTS[key]).replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      return typeof value === "string" ? value : filled(value);
    });
  return reason.map(filled).join(" ");
}

function phrase(key: Key, values: Phrase["values"] = {}): Phrase {
  return { key, values };
}

/** What a pattern does. */
export function gistOf({ name }: Recipe): Phrase {
  return { key: `gist_${name}`, values: {} };
}

/** What another light does than a pattern's. */
export function gist(key: "kept" | "brought" | "like"): Phrase {
  return phrase(`gist_${key}`);
}

/** Where a light stands, as seen by the viewer. */
export function standing({ azimuth_deg, elevation_deg }: Light): Phrase {
  const across = Math.abs(azimuth_deg);
  const isRight = azimuth_deg > 0;
  const place =
    across <= FRONT_DEG
      ? "front"
      : across >= BEHIND_DEG
        ? isRight
          ? "behindRight"
          : "behindLeft"
        : isRight
          ? "right"
          : "left";
  const [below, level, above] = HEIGHTS_DEG;
  const height =
    elevation_deg <= below
      ? "below"
      : elevation_deg <= level
        ? "level"
        : elevation_deg <= above
          ? "above"
          : "high";
  return phrase("standing", { place: phrase(place), height: phrase(height) });
}

/** Where a light stands, in degrees. */
export function anglesOf({ azimuth_deg, elevation_deg }: Light): Phrase {
  const [across, far] = [azimuth_deg, elevation_deg].map((angle) => Math.abs(angle).toFixed(0));
  const side = phrase(azimuth_deg > 0 ? "sideRight" : "sideLeft");
  return phrase("angles", { across, side, far, height: phrase(elevation_deg >= 0 ? "up" : "down") });
}

/**
 * The reason of a setup that lights a face.
 *
 * @param before the face's ratio as it was.
 * @param aim ratio aimed at; 0 for none.
 * @param gist what the light does.
 */
export function litWords(
  key: Light,
  fill: number,
  before: number,
  found: Outcome,
  aim: number,
  gist: Phrase | string,
): Reason {
  const kind = phrase(key.softness_deg >= SOFT_DEG ? "soft" : "crisp");
  const stops = Math.abs(Math.log2(found.brightness)).toFixed(1);
  const raised =
    found.brightness >= RAISED
      ? phrase("raised", { stops })
      : found.brightness <= DARKER
        ? phrase("darker", { stops })
        : "";
  return [
    phrase("plain", { kind, standing: standing(key), gist, raised }),
    phrase("numbers", {
      angles: anglesOf(key),
      intensity: key.intensity.toFixed(2),
      fill: fill < UNTOUCHED ? phrase("fill", { stops: Math.log2(fill).toFixed(1) }) : phrase("kept"),
      before: before.toFixed(1),
      after: uneven(found).toFixed(1),
      limit: limit(found, aim),
    }),
  ];
}

/**
 * Why no light is added.
 *
 * @param pattern the one asked for; null for the automatic light, undefined for another's.
 * @param key where one would stand.
 * @param faces how many there are.
 */
export function unlitWords(
  pattern: string | null | undefined,
  ratio: number,
  key: Light,
  faces = 1,
): Reason {
  if (faces > 1) return [phrase("manyLit", { faces: String(faces) })];
  const existing = phrase("existing", { ratio: ratio.toFixed(1), angles: anglesOf(key) });
  if (pattern === BALANCE.name && ratio <= BALANCE.ratio) return [phrase("evenlyLit"), existing];
  if (pattern === null && ratio > intent.STRONGEST) return [phrase("stronglyLit"), existing];
  return [phrase("unseen"), existing];
}

/** Who of a group gets how much. */
export function groupWords(shares: readonly number[]): Reason {
  const lit = shares.filter((share) => share > 0);
  const [lowest, most] = [Math.min(...lit), Math.max(...lit)];
  const least = lowest < most ? phrase("least", { percent: (lowest * 100).toFixed(0) }) : "";
  return [phrase("group", { lit: String(lit.length), all: String(shares.length), least })];
}

/** What keeps a ratio from its aim. */
function limit(found: Outcome, aim: number): Phrase | "" {
  if (uneven(found) >= WITHIN * aim) return "";
  return phrase(found.pressed ? "pressed" : "strong", { aim: aim.toFixed(1) });
}
