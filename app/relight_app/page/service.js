const VERSION = "04660a12f17078b4";
const FILES = [
 "./",
 "assets/index-CsR7YMQc.css",
 "assets/index-DU-xQwKK.js",
 "assets/painting-DR2mgAYt.js",
 "assets/tiff-qdIKaRN8.js",
 "assets/worker-0DMmM44W.js",
 "icon.svg",
 "manifest.json",
 "samples/four-small.jpg",
 "samples/one-small.jpg",
 "samples/three-small.jpg",
 "samples/two-small.jpg"
];
const LATER = [
 "litert-2.5.3/litert_wasm_compat_internal.js",
 "litert-2.5.3/litert_wasm_compat_internal.wasm"
];
// SPDX-License-Identifier: Apache-2.0
// Keeps the page and its models for use offline. VERSION, FILES and LATER are written above by the
// build: what the page consists of, and what it loads when it is needed.
const CACHE = `portrait-relight-${VERSION}`;
const MODELS = "models/models.json";
/** Where photos wait that another app shares, until the page has opened them. */
const SHARED = "portrait-relight-shared";

/** The library's models under the addresses that the page asks for: with their checksums. */
async function modelFiles() {
  const { models } = await (await fetch(MODELS, { cache: "no-cache" })).json();
  return Object.values(models).map(({ file, sha256 }) => [
    `models/${file}.halves?${sha256}`,
    `models/${file}?${sha256}`,
  ]);
}

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter((name) => ![CACHE, SHARED].includes(name));
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

/** What the page has loaded by now lies in the browser's own cache: nothing comes twice. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  /** The first of some addresses that the server knows: not all servers know the smallest form. */
  const keep = async (addresses) => {
    for (const address of addresses) {
      if (await cache.match(address)) return;
      const answer = await fetch(address, { cache: "force-cache" });
      if (answer.ok) return cache.put(address, answer);
    }
    throw new Error(`${addresses[0]} cannot be kept`);
  };
  const forms = LATER.map((address) => [address, `${address}.gz`]);
  await Promise.all([[MODELS], ...forms, ...(await modelFiles())].map(keep));
}

self.addEventListener("message", (event) => {
  if (event.data !== "keep") return;
  const [port] = event.ports;
  event.waitUntil(
    keepAll().then(
      () => port.postMessage(true),
      () => port.postMessage(false),
    ),
  );
});

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && new URL(url).pathname.endsWith("/share")) {
    event.respondWith(shared(event.request));
  }
  if (method !== "GET") return;
  const listed = url.endsWith(MODELS);
  event.respondWith(listed ? freshFirst(event.request) : keptFirst(event.request));
});

/** Keep what is shared, and show the page, which takes it from there. */
async function shared(request) {
  const photos = (await request.formData()).getAll("photos");
  await caches.delete(SHARED);
  const cache = await caches.open(SHARED);
  const keep = (photo, k) => {
    const headers = { "content-type": photo.type, "x-name": encodeURIComponent(photo.name) };
    return cache.put(`./share/${k}`, new Response(photo, { headers }));
  };
  await Promise.all(photos.map(keep));
  return Response.redirect("./?shared", 303);
}

async function keptFirst(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
  return kept ?? fetch(request);
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
