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

/** Files of packages that the page loads as they are; compat runs without relaxed SIMD. */
const COPIES = {
  "litert/litert_wasm_compat_internal.js": "@litertjs/core/wasm/litert_wasm_compat_internal.js",
  "mediapipe/face_detection_full_range_sparse.tflite":
    "@mediapipe/face_detection/face_detection_full_range_sparse.tflite",
  "mediapipe/face_detection_short_range.tflite":
    "@mediapipe/face_detection/face_detection_short_range.tflite",
  "mediapipe/selfie_segmentation.tflite":
    "@mediapipe/selfie_segmentation/selfie_segmentation.tflite",
};

/** The interpreter: 9 MB, of which the page loads the compressed third. */
const WASM = "@litertjs/core/wasm/litert_wasm_compat_internal.wasm";

/** Face Mesh lies in one file with its package's other models; the loader beside it says where. */
function faceMesh(): Buffer {
  const folder = join(packages, "@mediapipe", "face_mesh");
  const name = "face_mesh_solution_packed_assets";
  const loader = readFileSync(join(folder, `${name}_loader.js`), "utf8");
  const found = /face_landmark\.tflite", "start": (\d+), "end": (\d+)/.exec(loader);
  if (found === null) throw new Error("the face_mesh package no longer lists face_landmark.tflite");
  return readFileSync(join(folder, `${name}.data`)).subarray(Number(found[1]), Number(found[2]));
}

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
      const wasm = readFileSync(join(packages, WASM));
      mkdirSync(join(out, "litert"), { recursive: true });
      writeFileSync(join(out, "litert", `${basename(WASM)}.gz`), gzipSync(wasm, { level: 9 }));
      for (const [to, from] of Object.entries(COPIES)) {
        mkdirSync(dirname(join(out, to)), { recursive: true });
        copyFileSync(join(packages, from), join(out, to));
      }
      writeFileSync(join(out, "mediapipe", "face_landmark.tflite"), faceMesh());
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
