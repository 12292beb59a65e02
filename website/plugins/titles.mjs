// titles.mjs -- the name above a listing leads to the file
import { existsSync } from 'node:fs';
import path from 'node:path';
import { definePlugin } from '@expressive-code/core';
import { h, select } from '@expressive-code/core/hast';
import { root, sourceLink } from '../site.mjs';

export function linkedTitles() {
  return definePlugin({
    name: 'Linked titles',
    baseStyles: `
      .title a { color: inherit; text-decoration: underline 1px; text-underline-offset: 0.2em; }
      .title a:hover { color: var(--sl-color-text-accent); }
    `,
    hooks: {
      postprocessRenderedBlock: ({ codeBlock, renderData }) => {
        const file = codeBlock.metaOptions.getString('title') ?? codeBlock.props.title;
        const title = select('figcaption .title', renderData.blockAst);
        if (!file || !title || !existsSync(path.join(root, file))) return;
        title.children = [h('a', { href: sourceLink(file) }, title.children)];
      },
    },
  });
}
