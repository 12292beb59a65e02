// sw.js -- pages that were read stay readable without the network
//
// What has a checksum in its name never changes and comes from the cache. All the rest comes
// from the network, and from the cache where there is none.
const CACHE = 'first-light';

async function fromNetwork(request) {
  const answer = await fetch(request);
  if (answer.ok) (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

const fromCache = (request) => caches.match(request, { ignoreSearch: true });

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  event.respondWith(
    pathname.includes('/_astro/')
      ? fromCache(request).then((answer) => answer ?? fromNetwork(request))
      : fromNetwork(request).catch(async () => (await fromCache(request)) ?? Response.error()),
  );
});
