// SPDX-License-Identifier: Apache-2.0
/** What was set up, in words: first for everybody, then with the numbers. */
import { intent, wording as constants } from "../constants.json";
import type { Light } from "../light";
import { BALANCE } from "./recipe";
import { uneven, type Outcome } from "./solution";

const { BEHIND_DEG, FRONT_DEG, HEIGHTS_DEG, RAISED, SOFT_DEG, UNTOUCHED, WITHIN } = constants;

/** Where a light stands, as seen by the viewer. */
export function standing({ azimuth_deg, elevation_deg }: Light): string {
  const across = Math.abs(azimuth_deg);
  const side = azimuth_deg > 0 ? "right" : "left";
  const place =
    across <= FRONT_DEG
      ? "from the front"
      : across >= BEHIND_DEG
        ? `from behind on the ${side}`
        : `from the ${side}`;
  const [below, level, above] = HEIGHTS_DEG;
  const height =
    elevation_deg <= below
      ? "from below"
      : elevation_deg <= level
        ? "at the height of the eyes"
        : elevation_deg <= above
          ? "a little above the eyes"
          : "high above the eyes";
  return `${place}, ${height}`;
}

/** Where a light stands, in degrees. */
export function anglesOf({ azimuth_deg, elevation_deg }: Light): string {
  const side = azimuth_deg > 0 ? "right" : "left";
  const height = elevation_deg >= 0 ? "up" : "down";
  const [across, above] = [azimuth_deg, elevation_deg].map((angle) => Math.abs(angle).toFixed(0));
  return `${across}° to the image ${side} and ${above}° ${height}`;
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
  gist: string,
): string {
  let plain = `${key.softness_deg >= SOFT_DEG ? "Soft" : "Crisp"} key ${standing(key)}; ${gist}`;
  if (found.brightness >= RAISED) {
    plain += `, and the face is raised by ${Math.log2(found.brightness).toFixed(1)} stops`;
  }
  const stops =
    fill < UNTOUCHED ? `fill ${Math.log2(fill).toFixed(1)} stops` : "the existing light kept";
  return (
    `${plain}. Key ${anglesOf(key)}, intensity ${key.intensity.toFixed(2)}, ${stops}:` +
    ` key-to-fill ${before.toFixed(1)}:1 becomes ${uneven(found).toFixed(1)}:1${limit(found, aim)}.`
  );
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
): string {
  if (faces > 1) {
    return `No light added: most of the ${faces} faces are lit well, and a key would spoil it.`;
  }
  const numbers = `Key-to-fill is ${ratio.toFixed(1)}:1; a key would stand ${anglesOf(key)}.`;
  if (pattern === BALANCE.name && ratio <= BALANCE.ratio) {
    return `No light added: the face is lit evenly already. ${numbers}`;
  }
  if (pattern === null && ratio > intent.STRONGEST) {
    return `No light added: the light that is there is strong, and is left alone. ${numbers}`;
  }
  return `No light added: none that looks natural would be seen. ${numbers}`;
}

/** Who of a group gets how much. */
export function groupWords(shares: readonly number[]): string {
  const lit = shares.filter((share) => share > 0);
  const [least, most] = [Math.min(...lit), Math.max(...lit)];
  const some = least < most ? `, the least of them with ${(least * 100).toFixed(0)}% of this` : "";
  return `${lit.length} of ${shares.length} faces are lit${some}.`;
}

/** What keeps a ratio from its aim. */
function limit(found: Outcome, aim: number): string {
  if (uneven(found) >= WITHIN * aim) return "";
  const goal = `${aim.toFixed(1)}:1`;
  return found.pressed
    ? `; for ${goal} the bright side has no room left`
    : `; ${goal} would take a key too strong to look natural`;
}
