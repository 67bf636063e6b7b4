// SPDX-License-Identifier: Apache-2.0
/**
 * Every stage against Python's golden vectors: `node golden.js FOLDER EXAMPLE LEANING PAGE MODELS`,
 * where EXAMPLE and LEANING hold square pictures' RGB bytes and the last two are the folders of the
 * built page and of the library's models. Prints what differs and fails if anything does.
 */
import { readFileSync } from "node:fs";
import type { Pixels } from "../src/image/raster";
import { Models } from "../src/models/library";
import { standIn } from "./browser";
import { checkApply, checkGrey, checkGuide } from "./gain_check";
import { opaque } from "./picture";
import { checkPerception } from "./perception_check";
import { checkRelight } from "./portrait_check";
import { checkExample, checkGroup, checkTurned, quarter } from "./relit_check";
import {
  checkColor,
  checkEnvironment,
  checkFilter,
  checkGeometry,
  checkMesh,
  checkMirror,
  checkShadow,
} from "./stage_check";
import { tally } from "./vector";

function picture(file: string): Pixels {
  const bytes = readFileSync(file);
  const side = Math.sqrt(bytes.length / 3);
  return opaque(side, side, bytes);
}

const [, exampleFile, leaningFile, page, library] = process.argv.slice(2);
const example = picture(exampleFile);
checkColor();
checkGeometry(example);
checkFilter();
checkMesh(example);
checkMirror();
checkShadow();
checkEnvironment();
checkGuide(example);
await checkGrey();
checkApply();
await checkRelight(example);
const models = new Models(standIn(page, library));
await checkExample(models, example);
await checkGroup(models, example);
await checkTurned(models, "quarter", quarter(example));
const leaning = picture(leaningFile);
await checkTurned(models, "leaning", leaning);
await checkPerception(models, leaning);
console.log(`${tally.checks} checks, ${tally.failures} failures`);
process.exitCode = tally.failures > 0 ? 1 : 0;
