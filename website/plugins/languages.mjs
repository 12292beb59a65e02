// languages.mjs -- the language of a listing that a Git host shows as plain text
import path from 'node:path';
import { visit } from 'unist-util-visit';
import { isCommand } from './console.mjs';

const BY_EXTENSION = { '.ld': 'ld', '.mk': 'make' };

/** The file's name in the title decides, and else a prompt at the beginning. */
export function languages() {
  return (tree) => {
    visit(tree, 'code', (node) => {
      if (node.lang !== 'text') return;
      const [, file] = /\btitle="([^"]+)"/.exec(node.meta ?? '') ?? [];
      const known = file && BY_EXTENSION[path.extname(file)];
      if (known) node.lang = known;
      else if (isCommand(node.value)) node.lang = 'console';
    });
  };
}
