// Keeps the page itself, so that a reload without a server still shows the timer. Never touches /v1: what the hero has is
// kept by the page, and a cached answer about it would be a lie.

const CACHE = 'dopamine-hero-page-1';
const OURS = /^\/(assets\/|icon\.svg$|manifest\.webmanifest$)/;

/** The page and everything that it names, and that its style sheets name. */
async function keepPage() {
  const cache = await caches.open(CACHE);
  const page = await fetch('/', { cache: 'no-cache' });
  if (!page.ok) throw new Error('the page did not come');
  const named = namesIn(await page.clone().text());
  await cache.put('/', page);
  await cache.addAll(named);
  for (const name of named.filter((one) => one.endsWith('.css'))) {
    const sheet = await cache.match(name, { ignoreVary: true });
    await cache.addAll(sheet ? namesIn(await sheet.text()) : []);
  }
}

function namesIn(text) {
  const names = text.match(/\/(assets\/[\w.-]+|icon\.svg|manifest\.webmanifest)/g) ?? [];
  return [...new Set(names)];
}

self.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(newestPage(request));
  else if (OURS.test(pathname)) event.respondWith(keptFile(request));
});

/** The server's page if it answers, else the last one. */
async function newestPage(request) {
  try {
    const answer = await fetch(request);
    if (answer.ok) await (await caches.open(CACHE)).put('/', answer.clone());
    return answer;
  } catch (error) {
    const kept = await caches.match('/', { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

/** Files under /assets carry a hash of their content, so a kept one is never old. */
async function keptFile(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}
