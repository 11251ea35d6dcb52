// Keeps the page itself, so that a reload without a server still shows the timer. Never touches /v1: what the hero has is
// kept by the page, and a cached answer about it would be a lie.

const CACHE = 'dopamine-hero-page-1';
const OURS = /^\/(assets\/|icon\.svg$|manifest\.webmanifest$)/;
/** The server's answers vary by origin; a kept file is the same for all. */
const ANY = { ignoreVary: true };

/** Keeps this page, everything that it names and that its style sheets name, and nothing of an older page. */
async function keepPage(page) {
  const cache = await caches.open(CACHE);
  const wanted = new Set(['/', ...namesIn(await page.clone().text())]);
  await cache.put('/', page);
  for (const name of wanted) {
    if (name === '/') continue;
    const file = (await cache.match(name, ANY)) ?? (await fetched(cache, name));
    if (name.endsWith('.css')) for (const inner of namesIn(await file.text())) wanted.add(inner);
  }
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request, ANY);
  }
}

async function fetched(cache, name) {
  const file = await fetch(name);
  if (!file.ok) throw new Error(`${name} did not come`);
  await cache.put(name, file.clone());
  return file;
}

function namesIn(text) {
  return text.match(/\/(assets\/[\w.-]+|icon\.svg|manifest\.webmanifest)/g) ?? [];
}

async function install() {
  await keepPage(await fetch('/', { cache: 'no-cache' }));
  await self.skipWaiting();
}

/** The server's page if it answers, else the last one. */
async function newestPage(event) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keepPage(answer.clone()).catch(() => undefined));
    return answer;
  } catch (error) {
    const kept = await caches.match('/', ANY);
    if (kept) return kept;
    throw error;
  }
}

/** Files under /assets carry a hash of their content, so a kept one is never old. */
async function keptFile(request) {
  return (await caches.match(request, ANY)) ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(newestPage(event));
  else if (OURS.test(pathname)) event.respondWith(keptFile(request));
});
