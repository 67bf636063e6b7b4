// SPDX-License-Identifier: Apache-2.0
/** The rule that sets lights up, against Python. */
import { linearized } from "../src/color";
import type { Matrix } from "../src/geometry";
import { trustIn } from "../src/gain/edge";
import { Raster } from "../src/image/raster";
import type { Light } from "../src/light";
import { patternLights, sideOf } from "../src/placement/direction";
import { automatic, stopsFor } from "../src/placement/intent";
import { likeness, type Likeness } from "../src/placement/likeness";
import { bare, cheeks } from "../src/placement/cheek";
import { dimnessOf, leanOf, ratioOf, read, type Reading } from "../src/placement/reading";
import { PATTERNS } from "../src/placement/recipe";
import { suggest, type Wanted } from "../src/placement/rule";
import { Skin, Solver, uneven, type Outcome } from "../src/placement/solution";
import { anglesOf, groupWords, litWords, spoken, standing, unlitWords } from "../src/placement/wording";
import type { Setup } from "../src/setup";
import type { Analysis } from "../src/stage/analysis";
import { SIDE } from "../src/stage/view";
import { every } from "./picture";
import { array, close, matches, raster, tally, values } from "./vector";

/** Mean difference that numbers of a setup may have: the solver stops at a part in 4000. */
const TOLERANCE = 2e-3;
/** The same where networks with 8-bit weights, rounded otherwise here, made the estimates. */
const ALIKE = 2e-2;
/** Of the trust every so many rows and columns are told. */
const EVERY = 4;

const numbers = (light: Light): number[] => [
  light.azimuth_deg,
  light.elevation_deg,
  light.intensity,
  ...light.color,
  light.softness_deg,
];

export function sameSetup(name: string, found: Setup, wanted: any): void {
  sameNumbers(name, found, wanted, TOLERANCE);
  same(`${name} reason`, spoken(found.reason), wanted.reason);
}

/** The same but for the last digits, where this machine's networks made the estimates. */
export function alikeSetup(name: string, found: Setup, wanted: any): void {
  sameNumbers(name, found, wanted, ALIKE);
  const words = (text: string): string => text.replace(/-?[0-9.]+/g, "#");
  same(`${name} reason`, words(spoken(found.reason)), words(wanted.reason));
}

function sameNumbers(name: string, found: Setup, wanted: any, tolerance: number): void {
  const { fill, lights, shares = [] } = found;
  const of = (all: readonly Light[]): number[] => all.flatMap(numbers);
  close(`${name} lights`, of(lights), of(wanted.lights), tolerance);
  close(`${name} fill`, [fill, ...shares], [wanted.fill, ...wanted.shares], tolerance);
}

/** All of the rule but what runs a network. */
export async function checkPlacement(analysis: Analysis): Promise<void> {
  checkReadings(analysis);
  checkSolutions(analysis);
  checkWords();
  const falling = array("placement/given_gain"); // of each column, in all rows and channels
  const gain = new Raster(SIDE, SIDE, 3).map((_, i) => falling[Math.floor(i / 3) % SIDE]);
  const given = async (): Promise<[typeof gain]> => [gain];
  const other = likeness(analysis);
  const flat = ({ azimuth_deg, elevation_deg, ratio, skin }: Likeness): number[] => [
    azimuth_deg,
    elevation_deg,
    ratio,
    ...skin,
  ];
  close("placement/likeness", flat(other), flat(values["placement/likeness"]), 1e-3);
  const choices: [string, Wanted][] = [["automatic", null], ["like", other]];
  for (const name of Object.keys(PATTERNS)) choices.push([name, name]);
  for (const [name, wanted] of choices) {
    const found = await suggest([analysis], given, wanted);
    sameSetup(`placement/given/${name}`, found, values[`placement/given/${name}`]);
  }
}

function checkReadings(analysis: Analysis): void {
  const { view } = analysis;
  const found = cheeks(view);
  matches("placement/cheeks/left", found.left.data, 0);
  matches("placement/cheeks/right", found.right.data, 0);
  matches("placement/bare", bare(view, linearized(view.photo)).data, 0);
  sameReading("placement/reading", read(analysis), values["placement/reading"]);
  const poses: Matrix[] = values["environment/head_poses"];
  values["placement/readings"].forEach((wanted: any, i: number) => {
    const reading: Reading = wanted;
    const name = `placement/readings/${i}`;
    sameReading(name, reading, wanted);
    close(`${name} side`, [sideOf(reading)], [wanted.side], 0);
    const intent = automatic(reading, poses[0]);
    close(`${name} stops`, [stopsFor(intent, reading)], [wanted.stops], 1e-5);
    close(`${name} aim`, [intent.aim(reading)], [wanted.aim], 1e-5);
    same(`${name} gist`, spoken([intent.gist]), wanted.gist);
    close(name, intent.lights.flatMap(numbers), wanted.lights.flatMap(numbers), 1e-3);
  });
  for (const { head_pose, lights, name, side } of values["placement/patterns"]) {
    const found = patternLights(PATTERNS[name], side, poses[head_pose]);
    close(`pattern ${name}`, found.flatMap(numbers), lights.flatMap(numbers), 1e-3);
  }
}

function sameReading(name: string, found: Reading, wanted: any): void {
  const flat = [found.left, found.right, found.mean, found.bright, found.around, found.yaw_deg];
  const other = [wanted.left, wanted.right, wanted.mean, wanted.bright, wanted.around, wanted.yaw_deg];
  close(name, flat, other, 1e-4);
  const derived = [ratioOf(found), leanOf(found), dimnessOf(found)];
  close(`${name} derived`, derived, [wanted.ratio, wanted.lean, wanted.dimness], 1e-3);
}

function checkSolutions({ view }: Analysis): void {
  matches("placement/trust", every(trustIn(view.photo), EVERY), 1e-5);
  const skin = new Skin(view);
  const [{ intensity }] = values["relight/setup"].lights;
  const gain = raster("relight/added_gain").map((value) => value / intensity);
  const flat = (outcome: Outcome): number[] => [
    outcome.intensity,
    outcome.fill,
    outcome.share,
    outcome.ratio,
    outcome.brightness,
    outcome.change / 10,
    Number(outcome.pressed),
  ];
  for (const wanted of values["placement/tried"]) {
    const found = new Solver(skin, gain, wanted.stops).at(wanted.share);
    close(`tried ${wanted.stops} ${wanted.share}`, flat(found), flat(wanted), 1e-4);
  }
  for (const wanted of values["placement/reached"]) {
    const found = new Solver(skin, gain, wanted.stops).until((o) => uneven(o) >= 2, 0.1, 0.8);
    close(`reached ${wanted.stops}`, flat(found), flat(wanted), TOLERANCE);
  }
  const found = new Solver(skin, gain, 0).given(1.5, 0.85);
  close("given key", flat(found), flat(values["placement/given_key"]), 1e-4);
}

function checkWords(): void {
  const { group, lights, lit, unlit } = values["placement/words"];
  for (const light of lights) {
    same("standing", spoken([standing(light)]), light.standing);
    same("angles", spoken([anglesOf(light)]), light.angles);
  }
  const outcome: Outcome = {
    intensity: 0.8,
    fill: 0.6,
    share: 0.5,
    ratio: 0.5,
    brightness: 1,
    change: 12,
    pressed: false,
  };
  const [first, second, third] = lights;
  same("lit", spoken(litWords(first, 0.6, 1.2, outcome, 2, "gist")), lit[0]);
  same("lit", spoken(litWords(second, 1, 1.2, { ...outcome, brightness: 1.5 }, 3, "gist")), lit[1]);
  same("lit", spoken(litWords(third, 0.6, 1.2, { ...outcome, pressed: true }, 3, "gist")), lit[2]);
  same("unlit", spoken(unlitWords(null, 4.2, first)), unlit[0]);
  same("unlit", spoken(unlitWords(null, 2.9, first)), unlit[1]);
  same("unlit", spoken(unlitWords("balance", 1.5, first)), unlit[2]);
  same("unlit", spoken(unlitWords(null, 1.5, first, 3)), unlit[3]);
  same("group", spoken(groupWords([1, 1, 0])), group[0]);
  same("group", spoken(groupWords([1, 0.4])), group[1]);
}

function same(name: string, found: string, wanted: string): void {
  tally.checks += 1;
  if (found === wanted) return;
  tally.failures += 1;
  console.log(`${name}: "${found}" against "${wanted}"`);
}
