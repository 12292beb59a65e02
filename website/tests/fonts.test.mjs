// fonts.test.mjs -- the cut fonts are accepted by a browser, and have the letters that are used
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { none } from './none.mjs';

const OURS = ['Spleen', 'Plex Serif', 'Plex Mono'];
const ELSEWHERE = /[\u2660\u2325]/; // no Plex has these two: a playing card's, and a key's

test('every face of ours is loaded', async () => {
  await visit('01-boot-sector/', async (tab) => {
    const faces = await tab.evaluate(async () => {
      await document.fonts.ready;
      return [...document.fonts].map(({ family, status }) => ({ family, status }));
    });
    const ours = faces.filter(({ family }) => OURS.includes(family.replaceAll('"', '')));
    assert.equal(new Set(ours.map(({ family }) => family)).size, OURS.length);
    none(ours.filter(({ status }) => status !== 'loaded').map(({ family }) => family), 'not loaded');
  });
});

/** The fonts that draw the text of the elements that a selector finds, by the name inside them. */
async function fontsOf(tab, selector) {
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send('DOM.enable');
  await devtools.send('CSS.enable');
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeIds } = await devtools.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector });
  const found = new Set();
  for (const nodeId of nodeIds) {
    const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId });
    for (const { familyName, isCustomFont } of fonts) if (!isCustomFont) found.add(familyName);
  }
  return [...found];
}

const selector = '.sl-markdown-content > p, .sl-markdown-content li, .picture text, .glass pre';
for (const page of ['03-memory-map/', '07-elf-kernel/', '10-uefi-loader/', '08-console/', 'glossary/']) {
  test(`${page}: no letter of text, figure or screen is drawn by another font`, async () => {
    await visit(page, async (tab) => {
      await tab.evaluate((elsewhere) => {
        // What is typed may be in any alphabet, and some of the screens' signs Spleen has not.
        for (const element of document.querySelectorAll('code, .glass b')) element.remove();
        for (const element of document.querySelectorAll('p, li')) {
          if (new RegExp(elsewhere).test(element.textContent)) element.remove();
        }
        return document.fonts.ready;
      }, ELSEWHERE.source);
      none(await fontsOf(tab, selector), page);
    });
  });
}
