// memory-map.test.mjs -- the map of a chapter is that of common/x86/layout.inc
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layout, layoutSource } from '../src/drawings/layout.mjs';
import { MIB, mapOf, news, parseDrawings } from '../src/drawings/memory-map.math.mjs';

const drawings = parseDrawings(layoutSource);
const map = (chapter) => mapOf(drawings, chapter, layout);
const at = (chapter, address) =>
  map(chapter).find(({ base, end }) => base <= address && address < end);

test('there are two drawings, and the second holds from chapter 7 on', () => {
  assert.deepEqual(drawings.map(({ since }) => since), [1, 7]);
});

test('a name in a drawing stands at the address that it has', () => {
  for (const { regions } of drawings) {
    for (const { name, base } of regions) if (name) assert.equal(base, layout[name], name);
  }
});

test('a map covers the first MiB without a gap', () => {
  for (let chapter = 1; chapter <= 11; chapter++) {
    const regions = map(chapter);
    assert.equal(regions[0].base, 0);
    assert.equal(regions.at(-1).end, MIB);
    regions.slice(1).forEach(({ base }, index) => assert.equal(base, regions[index].end));
  }
});

test('in chapter 1 the boot sector is one sector, and what follows is free', () => {
  assert.equal(at(1, 0x7c00).what, 'the boot sector');
  assert.equal(at(1, 0x7c00).end, 0x7e00);
  assert.equal(at(1, 0x7e00).what, 'free');
});

test('the kernel of chapter 6 gives way to the loader of chapter 7', () => {
  assert.equal(at(5, 0x10000).what, 'free');
  assert.match(at(6, 0x10000).what, /^the kernel/);
  assert.match(at(7, 0x10000).what, /^\.bss of the loader/);
  assert.match(at(7, 0x20000).what, /^what the BIOS has just read/);
});

test('what is new is what a chapter adds', () => {
  const bases = (chapter) => news(map(chapter), map(chapter - 1)).map(({ base }) => base);
  assert.deepEqual(bases(3), [layout.SCRATCH, layout.MEMORY_MAP]);
  assert.deepEqual(bases(4), []);
  assert.deepEqual(bases(5), [layout.PAGE_TABLES]);
});

test("the firmware's memory is the firmware's in every chapter", () => {
  for (let chapter = 1; chapter <= 6; chapter++) {
    for (const address of [0, 0x400, 0x80000, layout.VGA_TEXT, MIB - 1]) {
      assert.equal(at(chapter, address).kind, 'firmware');
    }
  }
});
