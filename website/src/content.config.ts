// content.config.ts -- the pages are those of docs/, and nothing is copied
import { defineCollection } from 'astro:content';
import { glob } from 'astro/loaders';
import { docsSchema } from '@astrojs/starlight/schema';
import { pageOf } from '../site.mjs';

export const collections = {
  docs: defineCollection({
    loader: glob({
      base: '../docs',
      pattern: '*.md',
      generateId: ({ entry }) => pageOf(entry),
    }),
    schema: docsSchema(),
  }),
};
