// SPDX-License-Identifier: Apache-2.0
/** Builds the page into app/relight_app/page, with all that it needs from packages. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "relight_app", "page");
const packages = join(here, "node_modules");

/** LiteRT's build without relaxed SIMD, which every browser runs. */
const LITERT = join(packages, "@litertjs", "core", "wasm", "litert_wasm_compat_internal");
const { devDependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
/** Its folder in the page: a new version is a new address. */
const LITERT_FOLDER = `litert-${devDependencies["@litertjs/core"]}`;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** Checksum of all that the page is built from, so that a test can tell whether it is up to date. */
function sourceHash(): string {
  const own = ["index.html", "package-lock.json", "package.json", "vite.config.ts"];
  const folders = ["public", "src"].flatMap((folder) =>
    filesIn(join(here, folder)).map((name) => `${folder}/${name}`),
  );
  const hash = createHash("sha256");
  for (const name of [...own, ...folders, "../../relight/face/face_template.json"]) {
    hash.update(`${name}\n`).update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

/** Writes a file of 9 MB packed: for servers that can tell browsers so, and for those that cannot. */
function pack(path: string, content: Buffer): void {
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  // The smallest form takes half a minute to find: it is kept from build to build.
  const sum = createHash("sha256").update(content).digest("hex");
  const cached = join(packages, ".cache", `${sum}.br`);
  if (!existsSync(cached)) {
    mkdirSync(dirname(cached), { recursive: true });
    writeFileSync(cached, smallest(content));
  }
  copyFileSync(cached, `${path}.br`);
}

function smallest(content: Buffer): Buffer {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  return brotliCompressSync(content, { params });
}

/** Copies what is not bundled and writes the service worker, which lists every file. */
function completed(): Plugin {
  return {
    name: "completed",
    closeBundle() {
      const [script, wasm] = [`${LITERT}.js`, `${LITERT}.wasm`];
      mkdirSync(join(out, LITERT_FOLDER), { recursive: true });
      copyFileSync(script, join(out, LITERT_FOLDER, basename(script)));
      pack(join(out, LITERT_FOLDER, basename(wasm)), readFileSync(wasm));
      writeFileSync(join(out, "source.json"), JSON.stringify({ sha256: sourceHash() }) + "\n");
      const hash = createHash("sha256");
      const files = filesIn(out).filter((name) => !["service.js", "source.json"].includes(name));
      for (const name of files) hash.update(name).update(readFileSync(join(out, name)));
      // Samples of full size are fetched when somebody wants one, drawn icons by who installs the page.
      const left = /\.(br|gz)$|^index\.html$|^samples\/[a-z]+\.jpg$|^icon-.*\.png$/;
      const served = files.filter((name) => !left.test(name));
      const isLarge = (name: string): boolean => name.startsWith("litert-");
      const later = [...served.filter(isLarge), `${LITERT_FOLDER}/${basename(wasm)}`];
      const now = ["./", ...served.filter((name) => !isLarge(name))];
      const head =
        `const VERSION = ${JSON.stringify(hash.digest("hex").slice(0, 16))};\n` +
        `const FILES = ${JSON.stringify(now, null, 1)};\n` +
        `const LATER = ${JSON.stringify(later, null, 1)};\n`;
      const service = readFileSync(join(here, "src", "service.js"), "utf8");
      writeFileSync(join(out, "service.js"), head + service);
    },
  };
}

export default defineConfig({
  base: "./",
  build: { outDir: out, emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  worker: { format: "iife" },
  resolve: { alias: { pako: "pako/lib/inflate.js" } }, // nothing is packed with it
  plugins: [completed()],
});
