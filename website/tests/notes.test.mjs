// notes.test.mjs -- a note and a warning are boxes with a name; another quotation is left alone
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notes } from '../plugins/notes.mjs';
import { visit } from './browser.mjs';

const quotation = (value) => ({
  type: 'blockquote',
  children: [{ type: 'paragraph', children: [{ type: 'text', value }] }],
});

test('a quotation that is marked becomes a box, and the mark its title', () => {
  const box = quotation('[!WARNING]\nAll of it is lost.');
  notes()({ type: 'root', children: [box] });
  assert.equal(box.data.hProperties.role, 'note');
  assert.deepEqual(box.children.map(({ children: [{ value }] }) => value),
    ['Warning', 'All of it is lost.']);
});

test('a quotation without a mark stays one', () => {
  const words = quotation('[!NOTE] in the middle of a line');
  notes()({ type: 'root', children: [words] });
  assert.equal(words.data, undefined);
});

test('posts show them', async () => {
  await visit('real-hardware/', async (tab) => {
    const warning = tab.getByRole('note').first();
    assert.match(await warning.innerText(), /^Warning\s.*wrong disk/s);
  });
});
