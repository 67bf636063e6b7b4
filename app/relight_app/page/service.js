const VERSION = "fb9996efa8fda36d";
const FILES = [
 "./",
 "assets/index-BQAFFnJY.css",
 "assets/index-_mPI55U1.js",
 "assets/worker-gByvlbNY.js",
 "icon.svg",
 "litert/litert_wasm_compat_internal.js",
 "litert/litert_wasm_compat_internal.wasm.gz",
 "manifest.json"
];
// SPDX-License-Identifier: Apache-2.0
// Keeps the page and its models for use offline. FILES and VERSION are written above by the build.
const CACHE = `portrait-relight-${VERSION}`;
const MODELS = "models/models.json";

/** The library's models under the addresses that the page asks for: with their checksums. */
async function modelFiles() {
  const { models } = await (await fetch(MODELS, { cache: "no-cache" })).json();
  return Object.values(models).map(({ file, sha256 }) => `models/${file}?${sha256}`);
}

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...FILES, MODELS, ...(await modelFiles())]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter((name) => name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const listed = event.request.url.endsWith(MODELS);
  event.respondWith(listed ? freshFirst(event.request) : keptFirst(event.request));
});

async function keptFirst(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && new URL(request.url).pathname.includes("/models/")) {
    await cache.put(request, answer.clone());
  }
  return answer;
}

/** The list of models may have changed since; without a network the kept one serves. */
async function freshFirst(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request, { cache: "no-cache" });
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}
