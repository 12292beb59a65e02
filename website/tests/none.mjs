// none.mjs -- that a list is empty; if it is not, the failure is its lines
import assert from 'node:assert/strict';

export function none(list, what) {
  assert.ok(list.length === 0, `${list.length} ${what}:\n${list.join('\n')}`);
}
