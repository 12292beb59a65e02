// segment-descriptor.test.mjs -- descriptors taken apart, ours and some that nobody should load
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptors } from '../src/drawings/gdt.mjs';
import {
  BITS, bitOf, bytes, decode, fieldAt, fields, flip, inWords, lastOffset, nameOfBit, nasm, parse,
} from '../src/drawings/segment-descriptor.math.mjs';

const CODE32 = 0x00cf9b000000ffffn;
const words = (value, key) => fields(value).find((field) => field.key === key).words;

test('the descriptors of gdt.asm are those that the assembler makes', () => {
  assert.deepEqual(descriptors(), [
    { name: 'null', value: 0n },
    { name: 'code32', value: CODE32 },
    { name: 'data', value: 0x00cf93000000ffffn },
    { name: 'code64', value: 0x00af9b000000ffffn },
  ]);
});

test('every bit belongs to one field, and back together they are the descriptor', () => {
  const value = 0x12cfb6789abcdef0n;
  let sum = 0n;
  for (let bit = 0; bit < BITS; bit += 1) {
    assert.ok(fieldAt(bit), `bit ${bit}`);
    sum |= BigInt(bitOf(value, bit)) << BigInt(bit);
  }
  assert.equal(sum, value);
});

test('base and limit are put together from their pieces', () => {
  const parts = decode(0x12c09b3456789abcn);
  assert.equal(parts.base, 0x12345678);
  assert.equal(parts.limit, 0x09abc);
});

test('the limit counts bytes or pages', () => {
  assert.equal(lastOffset({ g: 0, limit: 0xfffff }), 0xfffff);
  assert.equal(lastOffset({ g: 1, limit: 0xfffff }), 0xffffffff);
  assert.equal(lastOffset({ g: 1, limit: 0 }), 0xfff);
});

test('flipping a bit twice changes nothing', () => {
  for (let bit = 0; bit < BITS; bit += 1) {
    assert.notEqual(flip(CODE32, bit), CODE32);
    assert.equal(flip(flip(CODE32, bit), bit), CODE32);
  }
});

test('the bytes lie in memory as chapter 4 shows them', () => {
  assert.deepEqual(bytes(CODE32), [0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0]);
});

test('the lines for NASM make the same bytes', () => {
  const made = [...nasm(0x12cf9b3456789abcn).matchAll(/^(d[wb]) 0x(\w+)/gm)].flatMap(
    ([, size, digits]) => {
      const number = parseInt(digits, 16);
      return size === 'dw' ? [number & 0xff, number >> 8] : [number];
    });
  assert.deepEqual(made, bytes(0x12cf9b3456789abcn));
});

test('the bits of the type have other names in data than in code', () => {
  const names = (value) => [43, 42, 41, 40].map((bit) => nameOfBit(value, bit));
  assert.deepEqual(names(CODE32), ['code', 'C', 'R', 'A']);
  assert.deepEqual(names(flip(CODE32, 43)), ['code', 'E', 'W', 'A']);
  assert.deepEqual(names(flip(CODE32, 44)), ['Type', 'Type', 'Type', 'Type']);
});

test('sentences say what the CPU makes of a descriptor', () => {
  assert.match(inWords(0n), /^The null descriptor/);
  assert.match(inWords(CODE32), /32-bit code, Execute\/Read, accessed; privilege 0; base 0x0{8}/);
  assert.match(inWords(0x00af9b000000ffffn), /64-bit code.*base and limit are not used/);
  assert.match(inWords(flip(CODE32, 53)), /^Reserved: L and D/);
  assert.match(inWords(flip(CODE32, 47)), /^The segment is not present/);
  assert.match(inWords(0x00008b0000000067n), /32-bit TSS, busy/);
  assert.match(inWords(0x00008e0000081234n), /^A gate \(32-bit interrupt gate\)/);
});

test('an expand-down segment ends where another begins', () => {
  assert.equal(words(0x0040960000000fffn, 'limit'), 'offsets from 0x00001000 to 0xffffffff');
  assert.equal(words(0x00009600000000ffn, 'limit'), 'offsets from 0x00000100 to 0x0000ffff');
  assert.equal(words(0x000096000000ffffn, 'limit'), 'no offset at all');
});

test('hex is read with and without 0x, up to 64 bits', () => {
  assert.equal(parse('0x00cf9b00_0000ffff'), CODE32);
  assert.equal(parse('0'), 0n);
  for (const text of ['', '0x', '1ffffffffffffffff', 'xyz']) assert.equal(parse(text), null);
});
