// screens.test.mjs -- a screen on the site is that of docs/screens, cell by cell
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { toText } from '@expressive-code/core/hast';
import { screens } from '../plugins/screens.mjs';
import { docs } from '../site.mjs';
import { DESKTOP, PHONE, visit } from './browser.mjs';

const CELL = 0.5; // in the font's size
const folder = path.join(docs, 'screens');
const texts = readdirSync(folder).filter((file) => file.endsWith('.json'));

const read = (name) => JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
const rowsOf = ({ lines }) => lines.map((line) => line.map(([, text]) => text).join(''));

/** The paragraph of a post with nothing but this picture, after the step. */
function transformed(name) {
  const image = { type: 'image', url: `screens/${name}.png`, alt: 'What it shows.' };
  const paragraph = { type: 'paragraph', children: [image] };
  screens()({ type: 'root', children: [paragraph] });
  return paragraph;
}

for (const file of texts) {
  const name = path.parse(file).name;
  test(`${name}: its text is that of the run, and its words are its name`, () => {
    const [glass, caption] = transformed(name).data.hChildren;
    assert.deepEqual(toText(glass.children[0]).trimEnd().split('\n'), rowsOf(read(name)));
    assert.equal(glass.properties.role, 'img');
    assert.equal(glass.properties.ariaLabel, 'What it shows.');
    const chapter = Number(name.slice(0, 2));
    const firmware = name.endsWith('-uefi') ? ' FIRMWARE=uefi' : '';
    assert.equal(toText(caption), `From a run of make chapter-${chapter} screen${firmware}`);
  });
}

test('a screen without a text stays a picture', () => {
  const { data, children } = transformed('09-uefi-hello');
  assert.equal(data, undefined);
  assert.equal(children[0].type, 'image');
});

test('colours are classes, and light grey on black has none', () => {
  const html = JSON.stringify(transformed('08-console').data.hChildren[0]);
  assert.match(html, /"className":\["ib"\]},"children":\[{"type":"text","value":"symbols/);
  assert.match(html, /"className":\["p1","ie"\]},"children":\[{"type":"text","value":"1e/);
  assert.match(html, /{"type":"text","value":"0xffff800000115000/);
});

for (const viewport of [PHONE, DESKTOP]) {
  test(`each character stands in its cell, at ${viewport.width} pixels`, async () => {
    await visit('08-console/', async (tab) => {
      await tab.evaluate(() => document.fonts.ready);
      const { size, places } = await tab.locator('figure.screen pre').first().evaluate(placesIn);
      const astray = places.filter(
        ({ row, column, x, y }) =>
          Math.abs(x - column * CELL * size) > 0.5 || Math.abs(y - row * size) > size / 4,
      );
      assert.deepEqual(astray, []);
      assert.ok(places.length > 1000, `${places.length} characters`);
    }, { viewport });
  });
}

/** In the browser: where each character that is seen stands, from the grid's top left. */
function placesIn(grid) {
  const size = parseFloat(getComputedStyle(grid).fontSize);
  const { left, top } = grid.getBoundingClientRect();
  const nodes = document.createTreeWalker(grid, NodeFilter.SHOW_TEXT);
  const places = [];
  let [row, column] = [0, 0];
  while (nodes.nextNode()) {
    [...nodes.currentNode.data].forEach((character, index) => {
      if (character === '\n') {
        [row, column] = [row + 1, 0];
        return;
      }
      // A sign of another font may be narrower or wider than the box of its cell.
      const boxed = nodes.currentNode.parentElement.localName === 'b';
      const place = boxed ? nodes.currentNode.parentElement : document.createRange();
      if (!boxed) {
        place.setStart(nodes.currentNode, index);
        place.setEnd(nodes.currentNode, index + 1);
      }
      const { x, y } = place.getBoundingClientRect();
      if (character !== ' ') places.push({ character, row, column, x: x - left, y: y - top });
      column += 1;
    });
  }
  return { size, places };
}
