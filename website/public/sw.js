// sw.js -- the site, once one page of it was loaded, can be read without the network
//
// tools/keep.mjs puts two lines above this: KEPT, the files that are fetched ahead, and VERSION,
// which differs with what is in them. Each version has a store of its own, and when it is
// complete the one before goes, with all that it had.
const STORES = `first-light ${self.registration.scope} `; // another copy may share the host
const STORE = STORES + VERSION;

const SENTENCE = 'There is no network, and this page was not read before.';

async function fetchAhead() {
  const store = await caches.open(STORE);
  await store.addAll(KEPT.map((file) => new Request(file, { cache: 'no-cache' })));
  await self.skipWaiting();
}

async function dropOthers() {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(STORES) && name !== STORE);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** An address without what is asked behind it: Pagefind asks with the time. */
const addressOf = ({ url }) => url.replace(/[?#].*/, '');

/** Where there is no room for a copy, the reader has the page all the same. */
async function store(request, answer) {
  const copies = await caches.open(STORE);
  await copies.put(addressOf(request), answer).catch(() => {});
}

async function fromNetwork(event) {
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(store(event.request, answer.clone()));
  return answer;
}

const fromStore = async (request) => (await caches.open(STORE)).match(addressOf(request));

/** What has a checksum in its name never changes. All the rest is asked of the network first. */
async function answer(event) {
  const { request } = event;
  if (request.url.includes('/_astro/')) {
    return (await fromStore(request)) ?? fromNetwork(event);
  }
  try {
    return await fromNetwork(event);
  } catch {
    const plain = { status: 503, headers: { 'Content-Type': 'text/plain' } };
    return (await fromStore(request)) ?? new Response(SENTENCE, plain);
  }
}

self.addEventListener('install', (event) => event.waitUntil(fetchAhead()));
self.addEventListener('activate', (event) => event.waitUntil(dropOthers()));
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(self.registration.scope)) {
    event.respondWith(answer(event));
  }
});
