// offline.test.mjs -- the single file needs nothing but itself
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { output, tableOfContents } from '../site.mjs';
import { none } from './none.mjs';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
after(() => browser.close());

const tab = await browser.newPage({ viewport: { width: 390, height: 844 } });
const complaints = [];
tab.on('request', (request) => complaints.push(`asks for ${request.url().slice(0, 80)}`));
tab.on('pageerror', (error) => complaints.push(String(error)));
const file = `file://${path.join(output, 'first-light.html')}`;
await tab.goto(file);

test('nothing is asked for but the file', () => {
  const others = complaints.filter((one) => !/^asks for (data:|file:.*first-light\.html$)/.test(one));
  none(others, 'complaints');
});

test('every page is in it', async () => {
  const pages = await tab.locator('article').evaluateAll((all) => all.map(({ id }) => id));
  assert.deepEqual(
    pages,
    tableOfContents().flatMap(({ pages }) => pages.map(({ page }) => page)),
  );
});

test('each link within it leads somewhere, and no id is there twice', async () => {
  const { ids, links } = await tab.evaluate(() => ({
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    links: [...document.querySelectorAll('a')].map((link) => link.getAttribute('href')),
  }));
  none(ids.filter((id, index) => ids.indexOf(id) !== index), 'ids that are there twice');
  const inside = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
  none(inside.filter((id) => !ids.includes(decodeURIComponent(id))), 'links to nothing');
  none(links.filter((link) => !/^(#|https?:)/.test(link)), 'links to other files');
});

test('from each page a link leads back to the contents', async () => {
  const last = await tab.locator('article').evaluateAll((all) =>
    all.map((article) => [...article.querySelectorAll('a')].at(-1).getAttribute('href')));
  assert.deepEqual([...new Set(last)], ['#contents-of-all']);
});

test('a screen has its letters', async () => {
  const screen = tab.locator('figure.screen .glass pre').first();
  await screen.scrollIntoViewIfNeeded();
  assert.match(await screen.evaluate((text) => getComputedStyle(text).fontFamily), /Spleen/);
  await tab.waitForFunction(() => [...document.fonts]
    .some(({ family, status }) => family.includes('Spleen') && status === 'loaded'));
});

test('each picture is in it', async () => {
  const missing = await tab.locator('img').evaluateAll((all) => Promise.all(
    all.map((image) => Object.assign(image, { loading: 'eager' }).decode()
      .then(() => '', () => image.alt))));
  assert.ok(missing.length > 0);
  none(missing.filter(Boolean), 'pictures that are not shown');
});

test('the browser finds what is anywhere in it', async () => {
  for (const words of ['No bootable device', 'lgdt [gdt_pointer]', 'ExitBootServices']) {
    assert.ok(await tab.evaluate((text) => getSelection().empty() ?? find(text), words), words);
  }
});

/** Look at the file anew: `options` are those of a Playwright page. */
async function anew(options, look) {
  const other = await browser.newPage(options);
  await other.goto(file);
  await look(other);
  await other.close();
}

/** What text, code and figures stand on: "light" or "dark" for each. */
const grounds = (page) => page.evaluate(() => [
  getComputedStyle(document.body).backgroundColor,
  getComputedStyle(document.querySelector('pre[data-language="nasm"]')).backgroundColor,
  getComputedStyle(document.querySelector('.picture svg rect')).fill,
].map((colour) => (Number(/\d+/.exec(colour)) > 128 ? 'light' : 'dark')));

for (const javaScriptEnabled of [true, false]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`it is ${colorScheme} as the system is, scripts: ${javaScriptEnabled}`, async () => {
      await anew({ colorScheme, javaScriptEnabled }, async (page) =>
        assert.deepEqual(await grounds(page), [colorScheme, colorScheme, colorScheme]));
    });
  }
}

test('without scripts it can be read, and offers nothing that needs them', async () => {
  await anew({ javaScriptEnabled: false }, async (page) => {
    const heights = await page.locator('article').evaluateAll((all) =>
      all.map(({ clientHeight }) => clientHeight));
    assert.ok(Math.min(...heights) > 500);
    const idle = await page.locator('button:visible, input:visible, select:visible').evaluateAll(
      (all) => all.map((control) => control.outerHTML.slice(0, 80)));
    none(idle, 'controls that do nothing');
  });
});

test('on paper each page begins a sheet, and no listing is cut off', async () => {
  await anew({ viewport: { width: 720, height: 900 } }, async (page) => {
    await page.emulateMedia({ media: 'print' });
    const breaks = await page.locator('article').evaluateAll((all) =>
      all.map((article) => getComputedStyle(article).breakBefore));
    assert.deepEqual([...new Set(breaks)], ['page']);
    const cut = await page.locator('main pre').evaluateAll((all) => all
      .filter((pre) => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth + 1)
      .map((pre) => pre.innerText.slice(0, 60)));
    none(cut, 'listings that paper cuts off');
    const controls = page.locator('.copy button, figcaption button');
    assert.equal(await controls.locator('visible=true').count(), 0);
  });
});

test('a drawing answers in it, too', async () => {
  const drawing = tab.locator('segment-offset').first();
  await drawing.locator('input').first().fill('f000');
  assert.match(await drawing.innerText(), /f0000|ff?000/i);
});

test('it is no wider than a phone', async () => {
  const more = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(more <= 0, `${more} pixels too wide`);
});
