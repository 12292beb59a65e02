// posts.mjs -- from Markdown that reads well on a Git host to pages of the site
//
// A post knows nothing of the site. What a Git host does by itself (links between files,
// the title as a heading) is done here.
import path from 'node:path';
import { toString } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { docs, pageOf, root, sourceLink } from '../site.mjs';

const WIDE = 4; // columns

/** Links to posts become links to pages, and those to other files lead to their source. */
export function links() {
  return (tree) => {
    visit(tree, 'link', (node) => {
      if (/^([a-z]+:|#)/.test(node.url)) return;
      const [file, anchor] = node.url.split('#');
      const target = path.relative(root, path.resolve(docs, file));
      const inDocs = /^docs\/([\w.-]+\.md)$/.exec(target);
      const url = inDocs ? `/${pageOf(inDocs[1])}/` : sourceLink(target);
      node.url = anchor ? `${url}#${anchor}` : url;
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

/** In a table too wide for a phone each cell says its column: there a row is a list of them. */
export function rows() {
  return (tree) => {
    visit(tree, 'table', (table) => {
      const [header, ...rest] = table.children;
      if (header.children.length < WIDE) return;
      table.data = { hProperties: { class: 'rows' } };
      for (const { children } of rest) {
        children.forEach((cell, column) => {
          const label = toString(header.children[column]);
          if (label && cell.children.length > 0) cell.data = { hProperties: { 'data-column': label } };
        });
      }
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
