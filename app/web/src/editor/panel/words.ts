// SPDX-License-Identifier: Apache-2.0
/** The light in plain words: what a photographer would tell a friend. */
import type { Choice, EditorLight } from "../history";
import { say, type Key } from "../text/message";

/** Degrees from which a light is soft, and very soft. */
const [SOFT, VERY_SOFT] = [7, 20];
/** Degrees off the camera's axis below which a light comes from the front; above, from behind. */
const [FRONT, BEHIND, STRAIGHT_BEHIND] = [12, 100, 165];
/** Degrees above the eyes. */
const [BELOW, ABOVE, HIGH] = [-8, 12, 42];
/** Warmth from which a light looks coloured. */
const COLOURED = 15;
/** Share of the existing light from which its loss is worth a word. */
const DIMMED = 0.97;

/** A choice as sentences. */
export function inWords({ lights, selected, fill }: Choice): string {
  const lit = lights.filter(({ intensity }) => intensity > 0);
  const words: string[] = [];
  const first = lights[selected]?.intensity > 0 ? lights[selected] : lit[0];
  if (first !== undefined) words.push(lightInWords(first));
  if (lit.length > 1) words.push(say("andMore", { count: lit.length - 1 }));
  if (fill < DIMMED) words.push(say("dimmed", { percent: (fill * 100).toFixed(0) }));
  return words.length === 0 ? say("noLight") : words.join(" ");
}

function lightInWords(light: EditorLight): string {
  const { azimuth_deg, elevation_deg, softness_deg, warmth } = light;
  const kind = softness_deg < SOFT ? "hard" : softness_deg < VERY_SOFT ? "soft" : "verySoft";
  const height: Key =
    elevation_deg < BELOW
      ? "isBelow"
      : elevation_deg < ABOVE
        ? "isLevel"
        : elevation_deg < HIGH
          ? "isAbove"
          : "isHigh";
  const colour = warmth > COLOURED ? say("isWarm") : warmth < -COLOURED ? say("isCool") : "";
  return say("sentence", {
    kind: say(kind),
    side: say(sideOf(azimuth_deg)),
    height: say(height),
    colour,
  });
}

function sideOf(azimuth: number): Key {
  const off = Math.abs(azimuth);
  if (off < FRONT) return "fromFront";
  if (off > STRAIGHT_BEHIND) return "fromBehind";
  if (off > BEHIND) return azimuth < 0 ? "fromBehindLeft" : "fromBehindRight";
  return azimuth < 0 ? "fromLeft" : "fromRight";
}
