// phone.test.mjs -- what is wide on a desk can be read on a phone
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHONE, visit } from './browser.mjs';
import { none } from './none.mjs';

const TOUCHED = { viewport: PHONE, hasTouch: true, isMobile: true };

/** In the page: the lines of listings that end below the copy button, however far one scrolls. */
function hidden() {
  return [...document.querySelectorAll('.expressive-code .frame')].flatMap((frame) => {
    const pre = frame.querySelector('pre');
    const button = frame.querySelector('.copy button')?.getBoundingClientRect();
    if (!button) return [];
    pre.scrollLeft = pre.scrollWidth;
    return [...frame.querySelectorAll('.ec-line .code')].filter((line) => {
      const text = document.createRange();
      text.selectNodeContents(line);
      const { top, bottom, right } = text.getBoundingClientRect();
      return top < button.bottom && bottom > button.top && right > button.left;
    }).map((line) => line.textContent.trim());
  });
}

for (const page of ['01-boot-sector/', '04-protected-mode/', '11-disk-image/']) {
  test(`${page}: the copy button hides no end of a line`, async () => {
    await visit(page, async (tab) => {
      await tab.evaluate(() => document.fonts.ready);
      await tab.addStyleTag({ content: '.expressive-code code { content-visibility: visible }' });
      none(await tab.evaluate(hidden), 'lines');
    }, TOUCHED);
  });
}

test('the copy button is not seen through', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const grounds = await tab.locator('.copy button').evaluateAll((all) => all.map((button) => {
      const { backgroundColor, opacity } = getComputedStyle(button);
      return `${backgroundColor} ${opacity}`;
    }));
    assert.ok(grounds.length > 20);
    none(grounds.filter((ground) => !/^rgb\(.*\) 1$/.test(ground)), 'buttons');
  }, TOUCHED);
});

test('names in a table are broken where they may be, and it need not be scrolled', async () => {
  await visit('boot-protocol/', async (tab) => {
    const table = tab.locator('table', { hasText: 'ELF64_SEGMENT_ALIGNMENT' });
    const [width, whole] = await table.evaluate((one) => [one.clientWidth, one.scrollWidth]);
    assert.equal(whole, width);
  }, TOUCHED);
});

test('in a list made of a table what names the row stands above the others', async () => {
  await visit('05-long-mode/', async (tab) => {
    const places = await tab.locator('table.rows tbody tr').first().evaluate((row) =>
      [...row.children].map((cell) => {
        const { left, top, width } = cell.getBoundingClientRect();
        return { left, top, whole: width > row.clientWidth / 2, named: 'column' in cell.dataset };
      }));
    const [name, ...others] = places;
    assert.ok(name.whole && !name.named);
    assert.ok(others.every(({ named, top }) => named && top > name.top));
  }, TOUCHED);
});

test('a number in hexadecimal has the letters of code', async () => {
  await visit('05-long-mode/', async (tab) => {
    const faces = await tab.locator('p .hex').evaluateAll((all) =>
      all.map((number) => `${number.textContent}: ${getComputedStyle(number).fontFamily}`));
    assert.ok(faces.length > 20);
    none(faces.filter((face) => !/^0x[0-9a-f]+: "?Plex Mono/i.test(face)), 'numbers');
  });
});
