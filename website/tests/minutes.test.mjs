// minutes.test.mjs -- the time that a post takes to read
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minutes } from '../src/minutes.mjs';

const words = (count) => 'word '.repeat(count);
const listing = (lines) => `\`\`\`c\n${'one; two; three; four; five;\n'.repeat(lines)}\`\`\`\n`;

test('two thousand words take ten minutes', () => assert.equal(minutes(words(2000)), 10));

test('code is read by the line', () => {
  assert.equal(minutes(`${words(2000)}\n${listing(300)}`), 20);
});

test('less than five minutes are five', () => assert.equal(minutes('a word'), 5));
