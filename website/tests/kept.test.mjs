// kept.test.mjs -- one page loaded, and the network may go: the service worker keeps the site
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { output, root } from '../site.mjs';
import { keep } from '../tools/keep.mjs';
import { serve } from '../tools/serve.mjs';
import { none } from './none.mjs';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
after(() => browser.close());

/** A tab on a page of `folder`, and what takes the network away. Both go with the test. */
async function open(t, folder, page = '') {
  const server = await serve(folder, '/some/where/');
  const context = await browser.newContext();
  t.after(async () => {
    await context.close();
    server.close();
  });
  const tab = await context.newPage();
  await tab.goto(server.address + page);
  await started(tab);
  return { tab, address: server.address, disconnect: () => server.close() };
}

const started = (tab) => tab.waitForFunction(() => navigator.serviceWorker.controller);

/** What all stores of the browser have, as paths. */
const stored = (tab) => tab.evaluate(async () => {
  const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const requests = await Promise.all(stores.map((store) => store.keys()));
  return requests.flat().map(({ url }) => url.split('/some/where/')[1]).sort();
});

test('after one page, all others can be read and searched without the network', async (t) => {
  const { tab, address, disconnect } = await open(t, output, 'setup/');
  disconnect();
  await tab.context().setOffline(true);

  await tab.goto(`${address}08-console/`);
  assert.match(await tab.locator('h1').innerText(), /console/i);
  const fonts = await tab.evaluate(() => document.fonts.ready.then(
    () => [...document.fonts].map(({ family, status }) => `${family} ${status}`)));
  assert.ok(fonts.some((font) => /Plex.* loaded/.test(font)), fonts.join());
  await tab.keyboard.press('/');
  await tab.keyboard.type('lgdt');
  await tab.getByRole('dialog', { name: 'Search' }).getByRole('link').first().waitFor();

  await tab.goto(address);
  const missing = await tab.locator('img').evaluateAll((all) => Promise.all(
    all.map((image) => Object.assign(image, { loading: 'eager' }).decode()
      .then(() => '', () => image.src))));
  assert.ok(missing.length > 5);
  none(missing.filter(Boolean), 'pictures that are missing');
});

test('a page that nobody kept is a sentence', async (t) => {
  const { tab, address, disconnect } = await open(t, output);
  disconnect();
  await tab.goto(`${address}changes/04-protected-mode/`);
  assert.equal(await tab.locator('body').innerText(),
    'There is no network, and this page was not read before.');
});

test('where there is no room for a copy, a page is shown all the same', async (t) => {
  const { tab, address } = await open(t, output);
  const devtools = await tab.context().newCDPSession(tab);
  const { origin } = new URL(address);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
  await tab.goto(`${address}changes/04-protected-mode/`);
  assert.match(await tab.locator('h1').innerText(), /chapter 4/);
  none((await stored(tab)).filter((page) => /^changes/.test(page)), 'copies for which there is room');
});

test('what is asked behind an address makes no further copy', async (t) => {
  const { tab, address } = await open(t, output);
  const before = await stored(tab);
  for (const asked of ['?a', '?b', '?c']) await tab.goto(`${address}setup/${asked}`);
  await tab.keyboard.press('/');
  await tab.keyboard.type('lgdt'); // Pagefind asks with the time
  await tab.getByRole('dialog', { name: 'Search' }).getByRole('link').first().waitFor();
  assert.deepEqual(await stored(tab), before);
});

/** A site of one page and one style sheet, whose name has a checksum. */
function build(folder, style) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, '_astro'), { recursive: true });
  writeFileSync(path.join(folder, '_astro', style), 'body { color: red }');
  writeFileSync(path.join(folder, 'index.html'), `<!doctype html><title>${style}</title>
    <link rel="icon" href="data:,"><link rel="stylesheet" href="_astro/${style}">
    <script>navigator.serviceWorker.register('sw.js')</script>`);
  copyFileSync(path.join(root, 'website/public/sw.js'), path.join(folder, 'sw.js'));
  keep(folder);
}

test('a new build takes the place of the one that was kept', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'first-light-'));
  t.after(() => rmSync(folder, { recursive: true }));
  build(folder, 'style.old.css');
  const { tab, address, disconnect } = await open(t, folder);
  assert.deepEqual(await stored(tab), ['', '_astro/style.old.css']);

  build(folder, 'style.new.css');
  await tab.evaluate(async () => {
    await caches.open('what another site on this host keeps');
    globalThis.before = navigator.serviceWorker.controller;
    await (await navigator.serviceWorker.ready).update();
  });
  await tab.waitForFunction(() => {
    const { controller } = navigator.serviceWorker;
    return controller !== globalThis.before && controller.state === 'activated';
  });
  assert.deepEqual(await stored(tab), ['', '_astro/style.new.css']);
  assert.ok(await tab.evaluate(() => caches.has('what another site on this host keeps')));
  disconnect();
  await tab.goto(address);
  assert.equal(await tab.title(), 'style.new.css');
});
