// posts.mjs -- from Markdown that reads well on a Git host to pages of the site
//
// A post knows nothing of the site. What a Git host does by itself (links between files,
// the title as a heading) is done here.
import path from 'node:path';
import { toString } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { docs, pageOf, root, sourceLink, tableOfContents } from '../site.mjs';

const WIDE = 4; // columns
const HALF_LINE = 24; // letters of a phone's line, and somewhat more
const LONG_NAME = /(?=\w*_)\w{16,}/;
const HEX = /\b(0x[0-9a-f]+)\b/i;

/** Links to posts become links to pages, and those to other files lead to their source. A link
 * that shows the name of a post's file shows the page's name. */
export function links() {
  const labels = new Map(
    tableOfContents().flatMap(({ pages }) => pages.map(({ page, label }) => [`${page}.md`, label])));
  return (tree) => {
    visit(tree, 'link', (node) => {
      if (/^([a-z]+:|#)/.test(node.url)) return;
      const [file, anchor] = node.url.split('#');
      const target = path.relative(root, path.resolve(docs, file));
      const inDocs = /^docs\/([\w.-]+\.md)$/.exec(target);
      const url = inDocs ? `/${pageOf(inDocs[1])}/` : sourceLink(target);
      node.url = anchor ? `${url}#${anchor}` : url;
      const [text] = node.children;
      if (text.type === 'text') text.value = labels.get(text.value) ?? text.value;
    });
  };
}

/** The first heading is the page's title, which Starlight shows itself. */
export function titles() {
  return (tree) => {
    const first = tree.children.findIndex((node) => node.type === 'heading' && node.depth === 1);
    if (first >= 0) tree.children.splice(first, 1);
  };
}

/** A file that the reader is asked to write has its name above it, as a listing has. */
export function files() {
  return (tree) => {
    visit(tree, 'code', (node) => {
      if (node.meta) node.meta = node.meta.replace(/\bsave="/, 'title="');
    });
  };
}

/** A column without a heading has an empty cell above it, and not an empty heading. */
export function corners() {
  return (tree) => {
    visit(tree, 'table', ({ children: [header] }) => {
      for (const cell of header.children) {
        if (cell.children.length === 0) cell.data = { hName: 'td' };
      }
    });
  };
}

/** In a table too wide for a phone each cell says its column: there a row is a list of them, and
 * a column in which there is much to say has lines to itself. */
export function rows() {
  return (tree) => {
    visit(tree, 'table', (table) => {
      const [header, ...rest] = table.children;
      if (header.children.length < WIDE) return;
      table.data = { hProperties: { class: 'rows' } };
      header.children.forEach((head, column) => {
        const label = toString(head);
        const cells = rest.map(({ children }) => children[column]).filter(Boolean);
        const long = cells.some((cell) => toString(cell).length > HALF_LINE);
        for (const cell of cells.filter(({ children }) => label && children.length > 0)) {
          cell.data = { hProperties: { 'data-column': label, 'data-long': long } };
        }
      });
    });
  };
}

/** A hexadecimal number in the text has the letters of code: its digits can be counted. */
export function numbers() {
  const code = (value) => ({
    type: 'emphasis',
    data: { hName: 'span', hProperties: { class: 'hex' } },
    children: [{ type: 'text', value }],
  });
  return (tree) => {
    visit(tree, 'text', (node, index, parent) => {
      const pieces = node.value.split(HEX);
      if (pieces.length === 1 || parent.type === 'heading') return;
      const nodes = pieces.map((value, place) => (place % 2 ? code(value) : { type: 'text', value }));
      parent.children.splice(index, 1, ...nodes);
      return index + nodes.length;
    });
  };
}

/** In a table a long name may be broken behind an underscore: else the table is too wide. */
export function breaks() {
  const place = { type: 'emphasis', data: { hName: 'wbr' }, children: [] };
  const broken = (text) => text.split(/(?<=\w_)(?=\w)/)
    .flatMap((value, index) => (index ? [place, { type: 'text', value }] : [{ type: 'text', value }]));
  return (tree) => {
    visit(tree, 'tableCell', (cell) => {
      visit(cell, ['text', 'inlineCode'], (node, index, parent) => {
        if (!LONG_NAME.test(node.value)) return;
        const children = broken(node.value);
        const isCode = node.type === 'inlineCode';
        const nodes = isCode ? [{ type: 'emphasis', data: { hName: 'code' }, children }] : children;
        parent.children.splice(index, 1, ...nodes);
        return index + nodes.length;
      });
    });
  };
}

/** A short name in the text stays in one piece; what is long or has spaces may be broken. */
export function names() {
  return (tree) => {
    visit(tree, 'inlineCode', (node) => {
      if (/^\S{1,28}$/.test(node.value) && /\W/.test(node.value)) {
        node.data = { hProperties: { class: 'name' } };
      }
    });
  };
}
