// SPDX-License-Identifier: Apache-2.0
/** Builds the page into app/relight_app/page, with all that it needs from packages. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "relight_app", "page");
const packages = join(here, "node_modules");

/** LiteRT's build without relaxed SIMD, which every browser runs. */
const LITERT = join(packages, "@litertjs", "core", "wasm", "litert_wasm_compat_internal");

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** Checksum of all that the page is built from, so that a test can tell whether it is up to date. */
function sourceHash(): string {
  const own = ["index.html", "package-lock.json", "vite.config.ts"];
  const folders = ["public", "src"].flatMap((folder) =>
    filesIn(join(here, folder)).map((name) => `${folder}/${name}`),
  );
  const hash = createHash("sha256");
  for (const name of [...own, ...folders, "../../relight/face/face_template.json"]) {
    hash.update(`${name}\n`).update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

/** Copies what is not bundled and writes the service worker, which lists every file. */
function completed(): Plugin {
  return {
    name: "completed",
    closeBundle() {
      const [script, wasm] = [`${LITERT}.js`, `${LITERT}.wasm`];
      mkdirSync(join(out, "litert"), { recursive: true });
      copyFileSync(script, join(out, "litert", basename(script)));
      const packed = gzipSync(readFileSync(wasm), { level: 9 }); // 9 MB, of which a third is left
      writeFileSync(join(out, "litert", `${basename(wasm)}.gz`), packed);
      writeFileSync(join(out, "source.json"), JSON.stringify({ sha256: sourceHash() }) + "\n");
      const hash = createHash("sha256");
      const files = filesIn(out).filter((name) => !["service.js", "source.json"].includes(name));
      for (const name of files) hash.update(name).update(readFileSync(join(out, name)));
      const kept = ["./", ...files.filter((name) => name !== "index.html")];
      const head =
        `const VERSION = ${JSON.stringify(hash.digest("hex").slice(0, 16))};\n` +
        `const FILES = ${JSON.stringify(kept, null, 1)};\n`;
      const service = readFileSync(join(here, "src", "service.js"), "utf8");
      writeFileSync(join(out, "service.js"), head + service);
    },
  };
}

export default defineConfig({
  base: "./",
  build: { outDir: out, emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  worker: { format: "iife" },
  plugins: [completed()],
});
