// worker.ts -- have public/sw.js keep what is read, where the site is published
//
// Not on the own machine: there a page is to be what was built last. The first page is read
// before the worker is there, so what belongs to it is kept from here.
const root = document.querySelector<HTMLElement>('[data-root]')?.dataset.root;

async function keep(root: string) {
  await navigator.serviceWorker.register(new URL('sw.js', new URL(root, location.href)));
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  const own = loaded.filter((name) => name.startsWith(location.origin));
  const cache = await caches.open('first-light');
  await cache.addAll([location.pathname, ...own]);
}

if (root && location.protocol === 'https:' && 'serviceWorker' in navigator) {
  addEventListener('load', () => keep(root).catch(() => {})); // a full disk, a private window
}
