// sizes.test.mjs -- a listing has the size before it is laid out that it has then: nothing jumps
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHONE, visit } from './browser.mjs';
import { posts } from './built.mjs';
import { none } from './none.mjs';

const VISIBLE = `.expressive-code pre > code {
  content-visibility: visible !important;
  min-inline-size: 0 !important;
}`;
const NEARLY = 1; // pixels

/** For each listing its first line, its height, and how far it scrolls sideways. */
function listings() {
  return [...document.querySelectorAll('.expressive-code pre')].map((pre) => ({
    name: pre.querySelector('.ec-line').textContent.trim(),
    height: pre.firstElementChild.getBoundingClientRect().height,
    width: pre.scrollWidth,
  }));
}

const linesNotLaidOut = () =>
  [...document.querySelectorAll('.ec-line')].filter(
    (line) => !line.checkVisibility({ contentVisibilityAuto: true })).length;

test('no listing of a post changes its size when it is laid out', async () => {
  let skipped = 0;
  for (const post of posts) {
    await visit(post, async (tab) => {
      await tab.evaluate(() => document.fonts.ready);
      skipped += await tab.evaluate(linesNotLaidOut);
      const before = await tab.evaluate(listings);
      await tab.addStyleTag({ content: VISIBLE });
      const after = await tab.evaluate(listings);
      const changed = before.flatMap(({ name, height, width }, index) => {
        const grown = [after[index].height - height, after[index].width - width];
        if (grown.every((pixels) => Math.abs(pixels) <= NEARLY)) return [];
        return `${grown[0]} pixels higher, ${grown[1]} wider: ${name}`;
      });
      none(changed, post);
    }, { viewport: PHONE });
  }
  assert.ok(skipped > 1000, `only ${skipped} lines were not laid out at once`);
});
