// changes.test.mjs -- a diff of two chapters is taken apart as it was meant
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, sentence } from '../tools/changes.mjs';

const DIFF = `--- 04-before/chapter/table.asm
+++ 05-after/chapter/table.asm
@@ -1,2 +0,0 @@
-align 8
--- a comment that begins like a file
--- 04-before/chapter/stage2.asm
+++ 05-after/chapter/stage2.asm
@@ -1,3 +1,4 @@
 bits 16
-    hlt
+    cli
+++ two signs, and a line
 end
@@ -9 +10 @@
-old
+new
--- 04-before/common/x86/paging.inc
+++ 05-after/common/x86/paging.inc
@@ -0,0 +1 @@
+PAGE_SIZE equ 4096
`;

const files = parse(DIFF, '04-before', '05-after');

test('a file is gone, changed or new, and has the name that it has in its chapter', () => {
  assert.deepEqual(
    files.map(({ name, state }) => [name, state]),
    [
      ['chapters/04-before/table.asm', 'gone'],
      ['chapters/05-after/stage2.asm', 'changed'],
      ['common/x86/paging.inc', 'new'],
    ],
  );
});

test('lines that look like the head of a file are lines', () => {
  assert.deepEqual(files[0].hunks[0].runs, [
    { kind: 'removed', lines: ['align 8', '-- a comment that begins like a file'] },
  ]);
  assert.deepEqual(
    files[1].hunks[0].runs.map(({ kind, lines }) => [kind, lines.length]),
    [['kept', 1], ['removed', 1], ['added', 2], ['kept', 1]],
  );
});

test('a part of one line says where it is', () => {
  assert.equal(files[1].hunks[1].line, 10);
});

test('the sentence counts files and lines', () => {
  assert.equal(sentence(files), '3 files: 1 new, 1 changed, 1 gone; 4 lines added, 4 removed');
});
