// changes.mjs -- the diff of a chapter, folded, at the end of "What changed since ..."
import path from 'node:path';
import { pageOf } from '../site.mjs';
import { changes, sentence } from '../tools/changes.mjs';

const isHeading = (node) => node.type === 'heading' && node.depth <= 2;
const text = (node) => node.value ?? node.children?.map(text).join('') ?? '';

/** A remark step. The diff itself is on a page of its own, and comes when it is asked for. */
export function foldedChanges() {
  return (tree, file) => {
    const page = pageOf(path.basename(file.path));
    const step = changes.find(({ chapter }) => chapter === page);
    const start = tree.children.findIndex(
      (node) => isHeading(node) && text(node).startsWith('What changed since'),
    );
    if (!step?.files || start < 0) return;
    const length = tree.children.slice(start + 1).findIndex(isHeading);
    const end = length < 0 ? tree.children.length : start + 1 + length;
    tree.children.splice(end, 0, { type: 'html', value: folded(step) });
  };
}

function folded({ chapter, files }) {
  const address = `/changes/${chapter}/`;
  return (
    `<chapter-changes data-from="${address}" data-pagefind-ignore>` +
    `<details class="changes"><summary>${sentence(files)}</summary>` +
    `<p><a href="${address}">The diff on a page of its own</a></p></details></chapter-changes>`
  );
}
