// drawings.test.mjs -- the drawings answer what the reader types
//
// Their arithmetic has tests of its own; here they are asked as a reader asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';

/** Type `values` (name of the field -> text) into a drawing; wait until it says `answer`. */
async function ask(page, drawing, values, answer) {
  await visit(page, async (tab) => {
    const element = tab.locator(drawing).first();
    for (const [name, text] of Object.entries(values)) {
      await element.locator(`input[name="${name}"]`).fill(text);
    }
    await element.locator('output').filter({ hasText: answer }).waitFor();
  });
}

test('segment:offset: b800:0010 is linear 0xb8010', () =>
  ask('01-boot-sector/', 'segment-offset', { segment: 'b800', offset: '10' }, /0xb8010/i));

test('segment:offset: ffff:0010 is the first byte above 1 MiB', () =>
  ask('01-boot-sector/', 'segment-offset', { segment: 'ffff', offset: '10' },
    /0x100000.*0x00000/is));

test('descriptor: our 64-bit code segment is one', () =>
  ask('04-protected-mode/', 'segment-descriptor', { descriptor: '0x00af9a000000ffff' }, /64-bit/));

test('descriptor: a bit that is flipped changes the words', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const drawing = tab.locator('segment-descriptor');
    const before = await drawing.locator('output').innerText();
    await drawing.locator('button[data-bit="47"]').click(); // P: present
    await drawing.locator('output').filter({ hasText: /not present/ }).waitFor();
    assert.doesNotMatch(before, /not present/);
  });
});

test('page walk: 0x800000000000 is not canonical', () =>
  ask('05-long-mode/', 'page-walk', { address: '0x800000000000' }, /not canonical/));

test('page walk: the screen is found at its physical address', () =>
  ask('05-long-mode/', 'page-walk', { address: '0xb8000' }, /physical address: 0xb8000/i));

test('memory map: each chapter has one of its own', async () => {
  await visit('03-memory-map/', async (tab) => {
    const drawing = tab.locator('memory-map').first();
    const said = new Set();
    for (const choice of await drawing.locator('input[name="chapter"]').all()) {
      await choice.check();
      said.add(await drawing.locator('output').innerText());
    }
    assert.ok(said.size > 1);
  });
});

test('boot sector: its last bytes are the signature', async () => {
  await visit('01-boot-sector/', async (tab) => {
    const bytes = tab.locator('boot-sector').getByRole('slider').first();
    await bytes.press('End');
    await tab.locator('boot-sector output').first().filter({ hasText: /Byte 511.*0xaa/ }).waitFor();
  });
});
