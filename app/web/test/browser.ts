// SPDX-License-Identifier: Apache-2.0
/** The little of a browser that the page's models need, for Node: the same code runs in both. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { existsSync, readFileSync } from "node:fs";

const BASE = "https://page/";

/**
 * Stand in for a browser.
 *
 * @param page folder of the built page.
 * @param models folder of the library's models.
 * @returns the address that the page has then.
 */
export function standIn(page: string, models: string): string {
  const path = (address: string): string => {
    const name = new URL(address).pathname.slice(1);
    return name.startsWith("models/") ? join(models, name.slice(7)) : join(page, name);
  };
  Object.assign(globalThis, {
    self: globalThis,
    navigator: {},
    __dirname: page, // which Emscripten looks for in Node
    require: createRequire(join(page, "index.html")),
    importScripts: (address: string) => runInThisContext(readFileSync(path(address), "utf8")),
    fetch: async (address: string) =>
      existsSync(path(address))
        ? new Response(await readFile(path(address)))
        : new Response(null, { status: 404 }),
  });
  return BASE;
}
