// SPDX-License-Identifier: Apache-2.0
/**
 * Photos as the page sees and relights them: `node agreement.js PAGE MODELS FOLDER`, where FOLDER
 * holds NAME.rgb and the photos' rows and columns in photos.json. Writes found.json and, where
 * there is a face, NAME.relit.rgb.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Perception } from "../src/face/perception";
import { Models } from "../src/models/library";
import { Portrait } from "../src/portrait";
import { Trouble } from "../src/trouble";
import { standIn } from "./browser";
import { colours, opaque } from "./picture";

const [page, library, folder] = process.argv.slice(2);
const models = new Models(standIn(page, library));
const perception = new Perception(models);
const photos: Record<string, [number, number]> = JSON.parse(
  readFileSync(`${folder}/photos.json`, "utf8"),
);

async function relit(name: string, rows: number, columns: number): Promise<unknown> {
  const photo = opaque(rows, columns, readFileSync(`${folder}/${name}.rgb`));
  const portrait = await Portrait.look(perception, models, photo);
  const setup = await portrait.suggest();
  const image = colours(await portrait.render(setup));
  writeFileSync(`${folder}/${name}.relit.rgb`, Uint8Array.from(image));
  const faces = portrait.faces.map(({ box, landmarks }) => ({ box, landmarks: [...landmarks] }));
  return { ...setup, faces };
}

const found: Record<string, unknown> = {};
for (const [name, [rows, columns]] of Object.entries(photos)) {
  found[name] = await relit(name, rows, columns).catch((error: Error) => {
    if (error instanceof Trouble && error.kind === "noFace") return null;
    throw error;
  });
}
writeFileSync(`${folder}/found.json`, JSON.stringify(found));
