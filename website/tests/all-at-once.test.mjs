// all-at-once.test.mjs -- no page is stored before the last one is rendered
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allAtOnce } from '../plugins/all-at-once.mjs';

const page = (id) => ({ id, filePath: `docs/${id}.md`, rendered: { html: id } });

/** A loader of two pages, which has looked into the store between them. */
function loading(pages) {
  const stored = [];
  const seen = [];
  let later;
  const loader = {
    name: 'pages',
    async load({ store }) {
      for (const one of pages) {
        store.set(one);
        await new Promise(setImmediate);
        seen.push(stored.length);
      }
      later = () => store.set(page('later'));
    },
  };
  const store = { set: ({ id }) => stored.push(id) > 0 };
  return { done: allAtOnce(loader).load({ store }), stored, seen, later: () => later() };
}

test('the store is empty until all pages are rendered, and then has them all', async () => {
  const { done, stored, seen } = loading([page('one'), page('two')]);
  await done;
  assert.deepEqual(seen, [0, 0]);
  assert.deepEqual(stored, ['one', 'two']);
});

test('a page that changes later is stored at once', async () => {
  const { done, stored, later } = loading([page('one')]);
  await done;
  later();
  assert.deepEqual(stored, ['one', 'later']);
});

test('a page that was not rendered stops the build', async () => {
  const { done } = loading([page('one'), { ...page('two'), rendered: undefined }]);
  await assert.rejects(done, /docs\/two\.md could not be rendered/);
});
