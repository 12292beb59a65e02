// disk-layout.test.mjs -- a sector of a disk is found where the image has it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chapters } from '../site.mjs';
import {
  SECTOR_SIZE,
  closest,
  parseNumber,
  rowsAt,
  windowAt,
} from '../src/drawings/disk-layout.math.mjs';
import { SECTOR, diskOf } from '../src/drawings/disk-layout.read.mjs';
import { sentence } from '../src/drawings/disk-layout.view.mjs';
import { sizeText } from '../src/drawings/size.mjs';

const ROWS = [
  { first: 0, last: 0, what: 'boot sector' },
  { first: 34, last: 2047, what: 'BIOS boot partition' },
  { first: 36, last: 72, what: 'second stage' },
];
const disks = chapters
  .map((chapter) => ({ chapter, ...diskOf(chapter) }))
  .filter(({ rows }) => rows);
const built = { skip: !disks.length && 'nothing is built' };

test('a sector has the size that the layout says', () => {
  assert.equal(SECTOR_SIZE, SECTOR);
});

test('a sector belongs to its row and to the row around that', () => {
  const names = rowsAt(ROWS, 40).map(({ what }) => what);
  assert.deepEqual(names, ['BIOS boot partition', 'second stage']);
  assert.deepEqual(rowsAt(ROWS, 1), []);
});

test('the sentence names bytes and parts', () => {
  assert.match(sentence(ROWS, 36), /^LBA 36, bytes 18,432 to 18,943 \(0x4800 to 0x49ff\):/);
  assert.match(sentence(ROWS, 1), /free\.$/);
});

test('a number is decimal or hex, and one that the disk has', () => {
  assert.equal(parseNumber('2047', 2880), 2047);
  assert.equal(parseNumber('0x7c0', 2880), 0x7c0);
  assert.equal(parseNumber('1,474,559', 1474560), 1474559);
  for (const text of ['2880', '-1', '', 'boot', '1e3', '0.5']) {
    assert.equal(parseNumber(text, 2880), undefined, text);
  }
});

test('the window stays inside of the disk and has the sector in it', () => {
  for (const sectors of [2880, 73728]) {
    for (let zoom = 0; zoom <= closest(sectors); zoom++) {
      for (const lba of [0, 1, 100, sectors - 1]) {
        const { first, count } = windowAt(lba, zoom, sectors);
        assert.ok(first >= 0 && first + count <= sectors);
        assert.ok(first <= lba && lba < first + count);
      }
    }
  }
});

test('a size is told in the unit that divides it', () => {
  const texts = [512, 1024, 18944, 1 << 20].map(sizeText);
  assert.deepEqual(texts, ['512 bytes', '1 KiB', '18,944 bytes', '1 MiB']);
});

test('the rows of each image are in order and on the disk', built, () => {
  for (const { chapter, rows, sectors } of disks) {
    assert.equal(rows[0][0], 0, chapter);
    rows.forEach(([first, last], index) => {
      assert.ok(first <= last && last < sectors, chapter);
      assert.ok(index === 0 || first >= rows[index - 1][0], chapter);
    });
  }
});

test('every image that a BIOS starts with a second stage shows it', built, () => {
  const numbers = (some) => some.map(({ chapter }) => Number.parseInt(chapter, 10));
  const shown = disks.filter(({ rows }) => rows.some(([, , what]) => /second stage/.test(what)));
  assert.deepEqual(numbers(shown), numbers(disks).filter((number) => ![1, 9, 10].includes(number)));
});
