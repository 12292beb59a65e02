// worker.ts -- have public/sw.js keep the site for a time without network
//
// Not while it is written (make website-serve): there is nothing to keep before it is built.
// Nor for a reader who asked to be spared of what is fetched ahead.
const root = document.querySelector<HTMLElement>('[data-root]')?.dataset.root;
const { connection } = navigator as Navigator & { connection?: { saveData: boolean } };

function keep() {
  const worker = new URL('sw.js', new URL(root!, location.href));
  navigator.serviceWorker.register(worker).catch(() => {}); // a full disk, a private window
}

// Only https and one's own machine have service workers.
if (import.meta.env.PROD && root && 'serviceWorker' in navigator && !connection?.saveData) {
  addEventListener('load', keep);
}
