// drawings.mjs -- behind some figures of the posts, a drawing that one can ask
//
// A post shows a picture and says it in words below. Behind both comes the drawing, which
// src/drawings/table.mjs names. Its static module may give nothing: what it reads is not built.
import path from 'node:path';
import { SKIP, visit } from 'unist-util-visit';
import { pageOf } from '../site.mjs';
import { drawings } from '../src/drawings/table.mjs';

const names = new Set(Object.values(drawings).flatMap((figures) => Object.values(figures)));
const modules = new Map();
for (const name of names) {
  modules.set(name, await import(`../src/drawings/${name}.static.mjs`));
}

const isWords = (node) =>
  node?.type === 'paragraph' &&
  node.children[0]?.type === 'emphasis' &&
  node.children[0].children[0]?.value?.startsWith('The drawing in words');

/** A remark step: behind a figure and its words, the drawing. */
export function interactiveDrawings() {
  return (tree, file) => {
    const page = pageOf(path.basename(file.path));
    const here = drawings[page] ?? {};
    visit(tree, 'paragraph', (node, index, parent) => {
      const image = node.children.find((child) => child.type === 'image');
      const name = image && here[path.basename(image.url)];
      const value = name && modules.get(name).html(page);
      if (!value) return;
      const behind = index + (isWords(parent.children[index + 1]) ? 2 : 1);
      parent.children.splice(behind, 0, { type: 'html', value });
      return [SKIP, behind + 1];
    });
  };
}
