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
        data: { hProperties: { className: ['title'], ariaHidden: 'true' } }, // its name is read out
        children: [{ type: 'text', value: TITLES[kind] }],
      });
      node.data = {
        hName: 'aside',
        hProperties: { className: [kind.toLowerCase()], ariaLabel: TITLES[kind] },
      };
    });
  };
}
