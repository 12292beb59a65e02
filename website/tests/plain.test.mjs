// plain.test.mjs -- without scripts and on paper everything is still there to be read
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { docs, pageOf } from '../site.mjs';
import { DESKTOP, KINDS, THEMES, visit } from './browser.mjs';
import { none } from './none.mjs';

const PARTS = ['pre code', 'figure.screen .glass', 'segment-descriptor output', 'main img, main svg'];
const UNPRINTED = ['nav', 'site-search', 'starlight-theme-select', '.copy button', 'main form'];
const PAINTED = [
  'body', 'header', 'a', 'pre', '.ec-line span[style]', '.picture rect', '.picture text', '.glass',
  'segment-descriptor .access', '.station',
];
const WITHOUT = { javaScript: false };

/** The headings of a post, as a reader sees them: without code's marks, links and emphasis. */
function headings(file) {
  const text = readFileSync(path.join(docs, file), 'utf8').replace(/^(```+).*?^\1/gms, '');
  return [...text.matchAll(/^##+ (.+)$/gm)]
    .map(([, heading]) => heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, ''));
}

test('without scripts each page has all its headings', async () => {
  for (const file of readdirSync(docs).filter((name) => name.endsWith('.md'))) {
    await visit(`${pageOf(file)}/`, async (tab) => {
      const text = (await tab.locator('main').innerText()).replace(/[’‘]/g, "'");
      none(headings(file).filter((heading) => !text.includes(heading.replace(/[’‘]/g, "'"))),
        `headings of ${file} that are not shown`);
    }, WITHOUT);
  }
});

test('without scripts the code, the screens and the drawings are shown', async () => {
  await visit(KINDS.post, async (tab) => {
    for (const part of PARTS) {
      assert.ok(await tab.locator(part).first().isVisible(), `${part} is not shown`);
    }
    assert.match(await tab.locator('figure.screen').first().innerText(), /Hello from 32-bit/);
  }, WITHOUT);
});

test('without scripts what is folded opens', async () => {
  await visit(KINDS.post, async (tab) => {
    const hint = tab.locator('main details').last();
    await hint.locator('summary').click();
    assert.ok(await hint.evaluate((details) => details.open));
  }, WITHOUT);
});

test('without scripts nothing is offered that needs them', async () => {
  await visit(KINDS.post, async (tab) => {
    const idle = await tab.locator('button:visible, input:visible, select:visible').evaluateAll(
      (all) => all.map((control) => control.outerHTML.slice(0, 80)));
    none(idle, 'controls that do nothing');
  }, WITHOUT);
});

/** In the page: the colours of the first element of each kind that it has. */
function colours(kinds) {
  return kinds.map((kind) => [kind, document.querySelector(kind)]).filter(([, found]) => found)
    .map(([kind, found]) => {
      const { color, backgroundColor, borderColor, fill, colorScheme } = getComputedStyle(found);
      return [kind, color, backgroundColor, borderColor, fill, colorScheme].join(' ');
    });
}

for (const theme of THEMES) {
  test(`without scripts a page is ${theme} where the system is`, async () => {
    for (const page of [KINDS.post, KINDS.front]) {
      const seen = [];
      for (const javaScript of [true, false]) {
        await visit(page, async (tab) => {
          seen.push(await tab.evaluate(colours, PAINTED));
        }, { theme, javaScript });
      }
      assert.ok(seen[0].length >= 4);
      assert.deepEqual(seen[1], seen[0]);
    }
  });
}

test('a page that is dark is printed light, and dark again behind that', async () => {
  await visit(KINDS.post, async (tab) => {
    const themes = await tab.evaluate(() => {
      const { dataset } = document.documentElement;
      return ['beforeprint', 'afterprint'].map((name) => {
        dispatchEvent(new Event(name));
        return dataset.theme;
      });
    });
    assert.deepEqual(themes, ['light', 'dark']);
  }, { theme: 'dark' });
});

test('on paper there is the post, and no way around the site', async () => {
  await visit(KINDS.post, async (tab) => {
    await tab.emulateMedia({ media: 'print' });
    for (const part of UNPRINTED) {
      const shown = await tab.locator(part).locator('visible=true').count();
      assert.equal(shown, 0, `${part} is printed`);
    }
    const cut = await tab.locator('main pre').evaluateAll((all) => all
      .filter((pre) => pre.scrollWidth > pre.clientWidth + 1)
      .map((pre) => pre.innerText.slice(0, 60)));
    none(cut, 'listings that paper cuts off');
  }, { viewport: { ...DESKTOP, width: 720 } });
});
