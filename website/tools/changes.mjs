// changes.mjs -- what a chapter changed, read from the diff that make wrote
//
// common/make/website.mk has `make chapter-N diff` write build/changes/NN-words.diff. Where
// that is missing, because the chapters are not built, the site is made without.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chapters, numberOf, root } from '../site.mjs';

const folder = path.join(root, 'build', 'changes');
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const KINDS = { '+': 'added', '-': 'removed', ' ': 'kept' };
const STATES = ['new', 'changed', 'gone'];

/**
 * A unified diff as a list of files, each with its name, its state (new, changed, gone), the
 * numbers of lines added and removed, and its hunks: runs of lines of one kind. A file that
 * is gone has the name that it had before.
 */
export function parse(diff, previous, chapter) {
  const files = [];
  const named = (line, owner) =>
    line.slice(4).replace(/^[^/]*\//, '').replace(/^chapter\//, `chapters/${owner}/`);
  let left = 0; // lines of the hunk that are still to come, of both sides
  for (const line of diff.split('\n')) {
    const file = files.at(-1);
    const hunk = HUNK.exec(line);
    if (left > 0 && line[0] in KINDS) {
      const kind = KINDS[line[0]];
      left -= kind === 'kept' ? 2 : 1;
      if (kind !== 'kept') file[kind] += 1;
      append(file.hunks.at(-1).runs, kind, line.slice(1));
    } else if (hunk) {
      const [before, after] = [hunk[2] ?? 1, hunk[4] ?? 1].map(Number);
      left = before + after;
      file.hunks.push({ line: Number(after ? hunk[3] : hunk[1]), runs: [] });
      if (before === 0) file.state = 'new';
      else if (after === 0) Object.assign(file, { state: 'gone', name: file.before });
    } else if (line.startsWith('--- ')) {
      const before = named(line, previous);
      files.push({ before, state: 'changed', added: 0, removed: 0, hunks: [] });
    } else if (line.startsWith('+++ ')) {
      file.name = named(line, chapter);
    }
  }
  return files;
}

function append(runs, kind, text) {
  const last = runs.at(-1);
  if (last?.kind === kind) last.lines.push(text);
  else runs.push({ kind, lines: [text] });
}

/** In the order in which one wants to read: the chapter's own, what is new, what is gone. */
function inOrder(files) {
  const shared = ({ name }) => Number(name.startsWith('common/'));
  const rank = (file) => 2 * STATES.indexOf(file.state) + shared(file);
  return files.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

/** "9 files: 4 new, 3 changed, 2 gone; 180 lines added, 120 removed" */
export function sentence(files) {
  const total = (key) => files.reduce((sum, file) => sum + file[key], 0);
  const states = STATES.map((state) => [files.filter((file) => file.state === state).length, state])
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`);
  const lines = `${count(total('added'), 'line')} added, ${total('removed')} removed`;
  return `${count(files.length, 'file')}: ${states.join(', ')}; ${lines}`;
}

/** Of every chapter but the first: { chapter, previous, files }; files is null without a diff. */
export const changes = chapters.slice(1).map((chapter, index) => {
  const file = path.join(folder, `${chapter}.diff`);
  const previous = chapters[index];
  const diff = existsSync(file) && readFileSync(file, 'utf8');
  return { chapter, previous, files: diff ? inOrder(parse(diff, previous, chapter)) : null };
});

const missing = changes.filter(({ files }) => !files).map(({ chapter }) => numberOf(chapter));
if (missing.length) {
  console.log(`no diffs of chapters ${missing.join(', ')}: make website builds them`);
}
