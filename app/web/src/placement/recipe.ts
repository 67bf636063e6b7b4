// SPDX-License-Identifier: Apache-2.0
/** The named patterns of portrait light. */
import { recipe as constants } from "../constants.json";

/** A pattern; angles in degrees, as seen from the face. */
export type Recipe = (typeof constants)["LOOP"];

/** By name, the most customary first. */
export const PATTERNS: Readonly<Record<string, Recipe>> = Object.fromEntries(
  Object.values(constants).map((recipe) => [recipe.name, recipe]),
);
export const { BALANCE } = constants;
