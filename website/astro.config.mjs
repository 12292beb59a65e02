import starlight from '@astrojs/starlight';
import { defineConfig } from 'astro/config';
import { interactiveDrawings } from './plugins/drawings.mjs';
import { files, links, titles } from './plugins/posts.mjs';
import { linkedTitles } from './plugins/titles.mjs';
import { output, site, tableOfContents } from './site.mjs';

export default defineConfig({
  site,
  outDir: output,
  trailingSlash: 'always',
  cacheDir: '../build/website-cache',
  markdown: { remarkPlugins: [links, titles, files, interactiveDrawings] },
  integrations: [
    starlight({
      title: 'First Light',
      description: 'How a PC gets from power-on to a 64-bit kernel in C, built step by step.',
      sidebar: tableOfContents().map(({ label, pages }) => ({
        label,
        items: pages.map(({ label, page }) => ({ label, slug: page })),
      })),
      customCss: ['./src/styles/site.css'],
      components: { MarkdownContent: './src/components/MarkdownContent.astro' },
      expressiveCode: { plugins: [linkedTitles()] },
    }),
  ],
});
