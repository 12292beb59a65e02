// segment-offset.test.mjs -- the arithmetic of real-mode addresses
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  inWords, linear, names, pair, parse, someNames, withoutA20,
} from '../src/drawings/segment-offset.math.mjs';

test('a segment counts sixteens', () => {
  assert.equal(linear(0x07c0, 0x0013), 0x07c13);
  assert.equal(linear(0xb800, 0), 0xb8000);
  assert.equal(linear(0xffff, 0xffff), 0x10ffef);
});

test('without A20 an address above 1 MiB is the one that lies 1 MiB below', () => {
  assert.equal(withoutA20(linear(0xffff, 0x0010)), 0);
  assert.equal(withoutA20(0x10ffef), 0xffef);
  assert.equal(withoutA20(0xfffff), 0xfffff);
});

test('the number of pairs is that of all segments tried', () => {
  for (const address of [0, 15, 16, 0x413, 0x7c13, 0xffff, 0x10000, 0xb8000, 0x100000, 0x10ffef]) {
    const made = Array.from({ length: 0x10000 }, (_, segment) => address - segment * 16);
    const count = made.filter((offset) => offset >= 0 && offset <= 0xffff).length;
    assert.equal(names(address).count, count, address.toString(16));
  }
});

test('each pair that is shown means the address, and none is shown twice', () => {
  for (const address of [0, 17, 0x7c13, 0xfffff, 0x10ffef]) {
    const shown = someNames(address, 6);
    for (const { segment, offset } of shown) assert.equal(linear(segment, offset), address);
    assert.equal(new Set(shown.map(pair)).size, Math.min(6, names(address).count));
  }
});

test('hex is read with and without 0x, and nothing else is', () => {
  assert.equal(parse('7C0'), 0x7c0);
  assert.equal(parse(' 0x07c0 '), 0x7c0);
  for (const text of ['', '0x', '10000', '-1', '7g', '07c0:0013']) assert.equal(parse(text), null);
});

test('a byte that only one pair means is said to be so', () => {
  assert.match(inWords(0xffff, 0xffff), /linear 0x10ffef\. No other pair/);
  assert.match(inWords(0x07c0, 0x0013), /linear 0x07c13\. 1,986 pairs/);
});
