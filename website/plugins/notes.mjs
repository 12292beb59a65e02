// notes.mjs -- what a post sets beside its way: a note, or a warning
//
// Git hosts show a quotation that begins with [!NOTE] or [!WARNING] as a box, and so do we.
import { visit } from 'unist-util-visit';

const MARK = /^\[!(NOTE|WARNING)\]\n/;
const TITLES = { NOTE: 'Note', WARNING: 'Warning' };

/** A remark step. */
export function notes() {
  return (tree) => {
    visit(tree, 'blockquote', (node) => {
      const first = node.children[0]?.children?.[0];
      const [mark, kind] = MARK.exec(first?.value ?? '') ?? [];
      if (!mark) return;
      first.value = first.value.slice(mark.length);
      node.children.unshift({
        type: 'paragraph',
        data: { hProperties: { className: ['title'] } },
        children: [{ type: 'text', value: TITLES[kind] }],
      });
      // Not an aside: who listens would meet each one in the list of the page's main parts.
      node.data = {
        hName: 'div',
        hProperties: { className: ['box', kind.toLowerCase()], role: 'note' },
      };
    });
  };
}
