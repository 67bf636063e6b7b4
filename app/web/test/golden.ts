// SPDX-License-Identifier: Apache-2.0
/**
 * Every stage against Python's golden vectors: `node golden.js FOLDER PORTRAIT ROWS COLUMNS`, where
 * PORTRAIT holds the example's RGB bytes. Prints what differs and fails if anything does.
 */
import { readFileSync } from "node:fs";
import { checkApply, checkGrey, checkGuide } from "./gain_check";
import { checkRelight } from "./portrait_check";
import {
  checkColor,
  checkEnvironment,
  checkFilter,
  checkGeometry,
  checkLight,
  checkMesh,
  checkShadow,
} from "./stage_check";
import { opaque, tally } from "./vector";

const [, portraitFile, rowsText, columnsText] = process.argv.slice(2);
const portrait = opaque(Number(rowsText), Number(columnsText), readFileSync(portraitFile));
checkColor();
checkGeometry(portrait);
checkFilter();
checkMesh(portrait);
checkShadow();
checkEnvironment();
checkLight();
checkGuide(portrait);
await checkGrey();
checkApply();
await checkRelight(portrait);
console.log(`${tally.checks} checks, ${tally.failures} failures`);
process.exitCode = tally.failures > 0 ? 1 : 0;
