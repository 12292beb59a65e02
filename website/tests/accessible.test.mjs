// accessible.test.mjs -- axe-core finds no violation, and nothing is wider than the screen
//
// A picture of each is left in build/website-screens, to be looked at.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../site.mjs';
import { DESKTOP, KINDS, NARROW, PHONE, THEMES, visit } from './browser.mjs';
import { builtPages, pagesToLookAt } from './built.mjs';
import { none } from './none.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = path.join(root, 'build', 'website-screens');
mkdirSync(pictures, { recursive: true });
const SMALLEST = 9; // pixels, of a letter in a drawing

for (const [kind, page] of Object.entries(KINDS)) {
  for (const theme of THEMES) {
    test(`${kind}, ${theme}: everybody can use it`, async () => {
      await visit(page, async (tab) => {
        for (const viewport of [PHONE, DESKTOP]) {
          await tab.setViewportSize(viewport);
          await tab.waitForFunction(boxesAreReady);
          const name = `${kind.replaceAll(' ', '-')}-${theme}-${viewport.width}.png`;
          await tab.screenshot({ path: path.join(pictures, name) });
          none(await violations(tab), `at ${viewport.width} pixels`);
        }
      }, { theme });
    });
  }
}

/** In the page: what scrolls, and nothing else, can be reached by keyboard, soon after a resize. */
function boxesAreReady() {
  return [...document.querySelectorAll('.expressive-code pre, main table, .wide')]
    .every((box) => (box.scrollWidth > box.clientWidth) === (box.tabIndex === 0));
}

/** What axe-core objects to: its rule, how often, and the first place. */
async function violations(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run());
  const screens = await tab.locator('.glass').evaluateAll((all) => all.map(({ outerHTML }) => outerHTML));
  return violations
    .map(({ id, nodes }) => ({ id, nodes: nodes.filter((node) => !excepted(id, node, screens)) }))
    .filter(({ nodes }) => nodes.length > 0)
    .map(({ id, nodes }) => {
      const [{ target, failureSummary }] = nodes;
      return `${id}: ${nodes.length} times, first ${target.join(' ')}: ${failureSummary}`;
    });
}

/** The colours of a machine's screen are a picture of it, and the words that say it are text. */
function excepted(id, { html }, screens) {
  return id === 'color-contrast' && screens.some((screen) => screen.includes(html));
}

test('no page is wider than the screen', async () => {
  const wide = [];
  for (const page of pagesToLookAt()) {
    await visit(page, async (tab) => {
      for (const viewport of [NARROW, PHONE, DESKTOP]) {
        await tab.setViewportSize(viewport);
        const width = await tab.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) wide.push(`${page}: ${width} pixels of ${viewport.width}`);
      }
    });
  }
  none(wide, 'pages that are too wide');
});

test('the tab key goes through a post, and what it reaches is seen', async () => {
  await visit(KINDS.post, async (tab) => {
    const unseen = [];
    let stops = 0;
    for (;; stops++) {
      await tab.keyboard.press('Tab');
      const stop = await tab.evaluate(focused);
      if (!stop) break;
      if (!stop.seen) unseen.push(stop.name);
    }
    assert.ok(stops > 50, `${stops} stops`);
    none(unseen, 'stops of the tab key that cannot be seen');
  });
});

/** In the page: the element that has the focus, and whether it has a ring, in the open. */
function focused() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { left, top, width, height } = element.getBoundingClientRect();
  const there = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2);
  const behindHeader = there?.closest('header') && !element.closest('header');
  return {
    name: element.outerHTML.slice(0, 80),
    seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && width > 1 && there && !behindHeader,
  };
}

test('on a phone the letters of a drawing can be read, and none is cut off', async () => {
  const bad = [];
  for (const page of builtPages().filter((page) => /^[01]\d-/.test(page))) {
    await visit(page, async (tab) => {
      await tab.evaluate(() => document.fonts.ready);
      bad.push(...await tab.locator('.picture text').evaluateAll(smallOrOutside, SMALLEST));
    }, { viewport: PHONE });
  }
  none(bad, 'texts in drawings');
});

/** In the page: the texts of drawings in letters smaller than that, or beyond the drawing's edge. */
function smallOrOutside(texts, smallest) {
  return texts.filter((text) => {
    const svg = text.closest('svg').getBoundingClientRect();
    const { left, right } = text.getBoundingClientRect();
    const scale = svg.width / text.closest('svg').viewBox.baseVal.width;
    const size = parseFloat(getComputedStyle(text).fontSize) * scale;
    return size < smallest || left < svg.left || right > svg.right;
  }).map((text) => text.textContent);
}
