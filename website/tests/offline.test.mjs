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

test('a drawing answers in it, too', async () => {
  const drawing = tab.locator('segment-offset').first();
  await drawing.locator('input').first().fill('f000');
  assert.match(await drawing.innerText(), /f0000|ff?000/i);
});

test('it is no wider than a phone', async () => {
  const more = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(more <= 0, `${more} pixels too wide`);
});
