import starlight from '@astrojs/starlight';
import { defineConfig, passthroughImageService } from 'astro/config';
import { foldedChanges } from './plugins/changes.mjs';
import { interactiveDrawings } from './plugins/drawings.mjs';
import { figures } from './plugins/figures.mjs';
import { languages } from './plugins/languages.mjs';
import { plain } from './plugins/plain.mjs';
import {
  breaks, corners, files, links, names, numbers, rows, titles,
} from './plugins/posts.mjs';
import { siteFonts } from './plugins/fonts.mjs';
import { notes } from './plugins/notes.mjs';
import { quotes } from './plugins/quotes.mjs';
import { screens } from './plugins/screens.mjs';
import { sourcePages } from './plugins/source.mjs';
import { numberOf, output, tableOfContents } from './site.mjs';

/** A chapter's label in the menu begins with its number. */
const numbered = (label, page) => (numberOf(page) ? `${numberOf(page)} ${label}` : label);

/** The colour of a browser's own frame around the page. */
const frame = (scheme, content) => ({
  tag: 'meta',
  attrs: { name: 'theme-color', media: `(prefers-color-scheme: ${scheme})`, content },
});

export default defineConfig({
  outDir: output,
  trailingSlash: 'always',
  cacheDir: '../build/website-cache',
  image: { service: passthroughImageService() }, // a screen is smaller as it is
  markdown: {
    smartypants: false,
    remarkPlugins: [
      quotes, notes, links, titles, files, corners, rows, names, breaks, numbers, screens, languages,
      interactiveDrawings, foldedChanges, figures,
    ],
  },
  integrations: [
    siteFonts(),
    { name: '@astrojs/sitemap', hooks: {} }, // none but src/pages/sitemap.xml.ts
    plain(),
    starlight({
      routeMiddleware: './src/addresses.ts',
      title: 'First Light',
      description: 'How a PC gets from power-on to a 64-bit kernel in C, built step by step.',
      sidebar: tableOfContents().map(({ label, pages }) => ({
        label,
        items: pages.map(({ label, page }) => ({ label: numbered(label, page), slug: page })),
      })),
      head: [
        frame('dark', '#0d1016'),
        frame('light', '#fdfcf9'),
        {
          tag: 'noscript',
          content: '<link rel="stylesheet" href="/plain.css" media="(prefers-color-scheme: light)">',
        },
        {
          tag: 'link',
          attrs: { rel: 'alternate', type: 'application/atom+xml', title: 'The posts', href: '/feed.xml' },
        },
      ],
      customCss: ['fonts', 'site', 'frame', 'figures', 'notes', 'screens', 'changes', 'paper'].map(
        (name) => `./src/styles/${name}.css`,
      ),
      components: Object.fromEntries(
        ['Footer', 'Head', 'Hero', 'MarkdownContent', 'PageTitle', 'Search'].map((name) => [
          name,
          `./src/components/${name}.astro`,
        ]),
      ),
      disable404Route: true,
    }),
    sourcePages(),
  ],
});
