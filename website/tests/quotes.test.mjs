// quotes.test.mjs -- which marks open and which close
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curled, quotes } from '../plugins/quotes.mjs';

test('a mark at the beginning, behind a space or a bracket opens; any other closes', () => {
  assert.equal(curled('"one" ("two") the CPU\'s'), '“one” (“two”) the CPU’s');
});

test('a mark behind an opening one opens, too', () => {
  assert.equal(curled('"\'in\' out"'), '“‘in’ out”');
});

test('three dots are one sign', () => assert.equal(curled('Booting...'), 'Booting…'));

test('code is left alone, and a mark behind it closes', () => {
  const text = (value) => ({ type: 'text', value });
  const code = { type: 'inlineCode', value: 'db "x"' };
  const children = [text('say "'), code, text('" or the '), { ...code, value: 'asm' }, text("'s")];
  quotes()({ type: 'root', children: [{ type: 'paragraph', children }] });
  assert.deepEqual(children.map(({ value }) => value),
    ['say “', 'db "x"', '” or the ', 'asm', '’s']);
});
