// page-walk.test.mjs -- an address is cut and looked up as the CPU does it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PAGES,
  cut,
  identityTables,
  isCanonical,
  parseAddress,
  walk,
} from '../src/drawings/page-walk.math.mjs';
import { view } from '../src/drawings/page-walk.view.mjs';

const indices = (address, depth) => cut(address, depth).indices.map(({ value }) => Number(value));
const TABLES = 0x1000n;

test('an address is read with and without 0x, and with digits in groups', () => {
  for (const text of ['0xb8000', 'B8000', ' 0xB_8000 ', "b'8000"]) {
    assert.equal(parseAddress(text), 0xb8000n);
  }
});

test('what is no address of 64 bits is refused', () => {
  for (const text of ['', '0x', 'kernel', '-1', '0x10000000000000000', '1.5']) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('the last address of the lower half and the first of the upper one are canonical', () => {
  for (const address of [0n, 0x7fffffffffffn, 0xffff800000000000n, 0xffffffffffffffffn]) {
    assert.ok(isCanonical(address), address.toString(16));
  }
});

test('the addresses between the halves are not canonical', () => {
  for (const address of [0x800000000000n, 0xffff7fffffffffffn, 0xffff000000000000n]) {
    assert.ok(!isCanonical(address), address.toString(16));
  }
});

test('the kernel lies at entry 511 of the PML4 and entry 510 of the PDPT', () => {
  assert.deepEqual(indices(0xffffffff80000000n, 4), [511, 510, 0, 0]);
});

test('the direct map begins at entry 256 of the PML4', () => {
  assert.deepEqual(indices(0xffff800000000000n, 4), [256, 0, 0, 0]);
});

test('a larger page has fewer indices and a longer offset', () => {
  const address = 0x12345678n;
  assert.deepEqual(indices(address, 4), [0, 0, 145, 325]);
  assert.equal(cut(address, 4).offset.value, 0x678n);
  assert.deepEqual(indices(address, 3), [0, 0, 145]);
  assert.equal(cut(address, 3).offset.value, 0x145678n);
  assert.deepEqual(indices(address, 2), [0, 0]);
  assert.equal(cut(address, 2).offset.value, 0x12345678n);
});

test('the parts of an address are all of its 64 bits', () => {
  const address = 0xfedcba9876543210n;
  for (const depth of [4, 3, 2]) {
    const { sign, indices, offset } = cut(address, depth);
    const bits = [sign, ...indices, offset].map((part) => part.bits).join('');
    assert.equal(BigInt(`0b${bits}`), address);
    assert.equal(bits.length, 64);
  }
});

test("the walk through chapter 5's tables is the one that its post tells", () => {
  const { steps, physical } = walk(0x12345678n, TABLES, identityTables(TABLES));
  assert.deepEqual(steps.map(({ at }) => at), [0x1000n, 0x2000n, 0x3000n + 145n * 8n]);
  assert.deepEqual(steps.map(({ entry }) => entry), [0x2003n, 0x3003n, 0x12200083n]);
  assert.equal(physical, 0x12345678n);
});

test("chapter 5's tables end after the first GiB", () => {
  const last = walk(0x3fffffffn, TABLES, identityTables(TABLES));
  assert.equal(last.physical, 0x3fffffffn);
  const behind = walk(0x40000000n, TABLES, identityTables(TABLES));
  assert.equal(behind.physical, undefined);
  assert.equal(behind.steps.length, 2);
});

test('how the physical address is made is said of a walk that arrives, and of no other', () => {
  const said = (address) => view(address, PAGES['2 MiB'], TABLES);
  assert.match(said(0xb8000n), /Physical address: bits 51 to 21/);
  assert.doesNotMatch(said(0x40000000n), /Physical address/);
  assert.match(view(0x40000000n, PAGES['4 KiB'], TABLES), /Physical address: bits 51 to 12/);
});
