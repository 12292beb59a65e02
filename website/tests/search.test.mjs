// search.test.mjs -- search finds what readers type, and needs no mouse
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, visit } from './browser.mjs';

// What is typed, and a page that explains it: among the first pages found.
const QUESTIONS = [
  ['lgdt', '04-protected-mode/'],
  ['int 0x13', '02-second-stage/'],
  ['0xb8000', '04-protected-mode/'],
  ['ExitBootServices', '10-uefi-loader/'],
];
const FIRST = 3;

const results = (tab) => tab.getByRole('dialog', { name: 'Search' }).getByRole('link');

async function search(tab, words) {
  await tab.keyboard.press('/');
  await tab.keyboard.type(words);
  await results(tab).first().waitFor();
}

for (const [words, page] of QUESTIONS) {
  test(`${words} leads to ${page}`, async () => {
    await visit('setup/', async (tab) => {
      await search(tab, words);
      const links = await results(tab).evaluateAll((all) => all.map(({ href }) => href));
      const pages = links.map((link) => link.slice(address.length).replace(/[?#].*/, ''));
      const first = [...new Set(pages)].slice(0, FIRST);
      assert.ok(first.includes(page), `found first: ${first.join(', ')}`);
    });
  });
}

test('the arrow keys choose, Enter goes there, Escape closes', async () => {
  await visit('', async (tab) => {
    await search(tab, 'lgdt');
    await tab.keyboard.press('ArrowDown');
    const chosen = await tab.evaluate(() => document.activeElement.href);
    assert.ok(chosen?.startsWith(address), 'the first result has the focus');
    await tab.keyboard.press('Escape');
    await tab.getByRole('dialog').waitFor({ state: 'hidden' });

    await search(tab, '');
    await tab.keyboard.press('ArrowDown');
    await tab.keyboard.press('Enter');
    await tab.waitForURL(chosen);
  });
});

test('Escape closes it with words in the field, too', async () => {
  await visit('', async (tab) => {
    await search(tab, 'lgdt');
    await tab.keyboard.press('Escape');
    await tab.getByRole('dialog').waitFor({ state: 'hidden' });
  });
});

test('what is nowhere gets a sentence', async () => {
  await visit('', async (tab) => {
    await tab.keyboard.press('/');
    await tab.keyboard.type('qqqqzzzz');
    const status = tab.getByRole('dialog', { name: 'Search' }).getByRole('status');
    await status.filter({ hasText: 'qqqqzzzz' }).waitFor();
  });
});

test('nothing of it is loaded before it is opened', async () => {
  await visit('setup/', async (tab) => {
    const loaded = await tab.evaluate(() => performance.getEntriesByType('resource')
      .map(({ name }) => name).filter((name) => name.includes('pagefind')));
    assert.deepEqual(loaded, []);
  });
});
