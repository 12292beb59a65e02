// drawings.test.mjs -- the drawings answer what the reader types
//
// Their arithmetic has tests of its own; here they are asked as a reader asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';

/** Type into fields (name of the field -> text) of a drawing; wait until it says `answer`. */
async function type(drawing, values, answer) {
  for (const [name, text] of Object.entries(values)) {
    await drawing.locator(`input[name="${name}"]`).fill(text);
  }
  await drawing.locator('output').filter({ hasText: answer }).waitFor();
}

/** Which fields a drawing calls wrong. */
const wrong = (drawing) => drawing.locator('input[aria-invalid="true"]')
  .evaluateAll((fields) => fields.map(({ name }) => name));

/** One drawing on its page: each question, and what it has to answer; the last is no answer. */
function ask(name, page, questions) {
  test(`${name} answers`, async () => {
    await visit(page, async (tab) => {
      const drawing = tab.locator(name).first();
      for (const [values, answer] of questions) {
        await type(drawing, values, answer);
        const refused = /^Type /.test(answer.source.replace('^', ''));
        assert.equal((await wrong(drawing)).length, refused ? 1 : 0, JSON.stringify(values));
      }
    });
  });
}

ask('segment-offset', '01-boot-sector/', [
  [{ segment: 'b800', offset: '10' }, /0xb8010\. 4,096 pairs/],
  [{ segment: '0', offset: '0' }, /0x00000\. No other pair/],
  [{ segment: 'f000', offset: 'ffff' }, /0xfffff\. (?!.*A20)/], // the last byte of the 8086
  [{ segment: 'ffff', offset: '10' }, /0x100000\..*A20.*linear 0x00000/s], // and the first above
  [{ segment: '0xFFFF', offset: '0xFFFF' }, /0x10ffef\. No other pair.*linear 0x0ffef/s],
  [{ segment: '10000' }, /Type one to four hex digits/],
  [{ segment: '7c0', offset: '' }, /Type one to four hex digits/],
  [{ segment: '7c0', offset: '0' }, /0x07c00/],
]);

ask('segment-descriptor', '04-protected-mode/', [
  [{ descriptor: '0x00cf9b000000ffff' }, /32-bit code.* up to 0xffffffff/], // G: pages
  [{ descriptor: '0x000f9b000000ffff' }, /16-bit code.* up to 0x000fffff/], // the same, in bytes
  [{ descriptor: '0x00c09b0000000000' }, /up to 0x00000fff/], // a limit of 0 pages is one page
  [{ descriptor: '0x00cf1b000000ffff' }, /not present/],
  [{ descriptor: '0x00af9a000000ffff' }, /64-bit code/],
  [{ descriptor: '0x00ef9a000000ffff' }, /Reserved: L and D together/],
  [{ descriptor: '0xffcf93ffffffffff' }, /base 0xffffffff/],
  [{ descriptor: '0' }, /null descriptor/],
  [{ descriptor: '0x10000000000000000' }, /Type 1 to 16 hex digits/],
  [{ descriptor: 'gdt' }, /Type 1 to 16 hex digits/],
  [{ descriptor: '00CF93000000FFFF' }, /Read\/Write/],
]);

ask('page-walk', '05-long-mode/', [
  [{ address: '0xb8000' }, /Physical address: 0xb8000\./],
  [{ address: '3fffffff' }, /Physical address: 0x3fffffff\./], // the last byte that is mapped
  [{ address: '40000000' }, /Entry 1 of the PDPT is not present/],
  [{ address: '7fffffffffff' }, /is canonical.*Entry 255 of the PML4 is not present/s],
  [{ address: '800000000000' }, /not canonical.*which\s+is 1/s],
  [{ address: 'ffff7fffffffffff' }, /not canonical.*which\s+is 0/s],
  [{ address: 'ffff800000000000' }, /is canonical.*Entry 256 of the PML4 is not present/s],
  [{ address: '0xffffffff80000000' }, /is canonical.*Entry 511 of the PML4 is not present/s],
  [{ address: '0x1ffffffffffffffff' }, /Type 1 to 16 hex digits/],
  [{ address: '' }, /Type 1 to 16 hex digits/],
  [{ address: '0' }, /Physical address: 0x0\./],
]);

ask('disk-layout', '11-disk-image/', [
  [{ lba: '0' }, /^LBA 0, bytes 0 to 511 \(0x0 to 0x1ff\):\s+protective MBR/],
  [{ byte: '0x200' }, /^LBA 1, bytes 512 to 1,023.*GPT: header/s],
  [{ byte: '0x1ff' }, /^LBA 0,/],
  [{ lba: '36' }, /BIOS boot partition.*second stage/s],
  [{ lba: '73727' }, /^LBA 73727,.*GPT: header/s],
  [{ lba: '73728' }, /^Type a number below 73,728/],
  [{ lba: 'boot' }, /^Type a number below 73,728/],
  [{ lba: '2048', byte: '37748736' }, /^Type a number below 37,748,736/],
  [{ byte: '37748735' }, /^LBA 73727,/],
]);

test('disk layout: the fields follow each other, and a chapter has a disk of its own', async () => {
  await visit('11-disk-image/', async (tab) => {
    const drawing = tab.locator('disk-layout').first();
    await type(drawing, { lba: '2048' }, /^LBA 2048,.*EFI System Partition/s);
    assert.equal(await drawing.locator('input[name="byte"]').inputValue(), '0x100000');
    await drawing.locator('input[name="chapter"][value="2"]').check();
    await type(drawing, { lba: '2879' }, /^LBA 2879,/);
    await type(drawing, { lba: '2880' }, /^Type a number below 2,880/);
    const shown = await drawing.locator('.chapter:visible').count();
    assert.equal(shown, 1);
  });
});

test('disk layout: a sector is asked for with the mouse, and a row lights up with it', async () => {
  await visit('11-disk-image/', async (tab) => {
    const drawing = tab.locator('disk-layout').first();
    const part = drawing.locator('.chapter:visible [data-lba="2048"]').first();
    await part.click();
    await drawing.locator('output').filter({ hasText: /^LBA 2048,/ }).waitFor();
  });
});

test('page walk: what is typed is walked for each size of page', async () => {
  await visit('05-long-mode/', async (tab) => {
    const drawing = tab.locator('page-walk').first();
    const parts = new Set();
    for (const page of await drawing.locator('input[name="page"]').all()) {
      await page.check();
      parts.add(await drawing.locator('.view').innerText());
    }
    assert.equal(parts.size, 3);
    await drawing.getByRole('button', { name: '0xffffffff80000000' }).click();
    assert.match(await drawing.locator('.view').innerText(), /511/);
  });
});

test('descriptor: a bit that is flipped changes the words', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const drawing = tab.locator('segment-descriptor');
    const before = await drawing.locator('output').innerText();
    await drawing.locator('button[data-bit="47"]').click(); // P: present
    await drawing.locator('output').filter({ hasText: /not present/ }).waitFor();
    assert.doesNotMatch(before, /not present/);
  });
});

test('descriptor: keys alone reach a bit and flip it', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const drawing = tab.locator('segment-descriptor');
    await drawing.locator('.examples button').last().focus();
    await tab.keyboard.press('Tab');
    for (const key of ['ArrowDown', 'ArrowDown', 'Space']) await tab.keyboard.press(key);
    await drawing.locator('output').filter({ hasText: /not present/ }).waitFor();
    assert.equal(await tab.evaluate(() => document.activeElement.dataset.bit), '47');
  });
});

for (const [page, chapters] of Object.entries({
  '01-boot-sector/': [], // no other to choose
  '03-memory-map/': [1, 2, 3],
  '11-disk-image/': [1, 2, 3, 4, 5, 6, 7, 8, 11],
})) {
  test(`memory map, ${page}: the chapters up to here, each with its own words`, async () => {
    await visit(page, async (tab) => {
      const drawing = tab.locator('memory-map').first();
      const said = [];
      for (const choice of await drawing.locator('input[name="chapter"]').all()) {
        await choice.check();
        said.push(await drawing.locator('output').innerText());
      }
      assert.deepEqual(said.map((words) => Number(/^Chapter (\d+)/.exec(words)[1])), chapters);
    });
  });
}

test('boot sector: its last bytes are the signature', async () => {
  await visit('01-boot-sector/', async (tab) => {
    const bytes = tab.locator('boot-sector').getByRole('slider').first();
    await bytes.press('End');
    const says = (words) =>
      tab.locator('boot-sector output').first().filter({ hasText: words }).waitFor();
    await says(/Byte 511.*0xaa/);
    await bytes.press('ArrowRight'); // there is nothing behind it
    await says(/Byte 511.*0xaa/);
    await bytes.press('ArrowLeft');
    await says(/Byte 510.*0x55/);
    await bytes.press('Home');
    await bytes.press('ArrowUp');
    await says(/Byte 0\b/);
  });
});
