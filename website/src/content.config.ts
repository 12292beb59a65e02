// content.config.ts -- the pages are those of docs/, and nothing is copied
import { defineCollection } from 'astro:content';
import { glob } from 'astro/loaders';
import { docsSchema } from '@astrojs/starlight/schema';
import { allAtOnce } from '../plugins/all-at-once.mjs';
import { pageOf } from '../site.mjs';

export const collections = {
  docs: defineCollection({
    loader: allAtOnce(
      glob({
        base: '../docs',
        pattern: '*.md',
        generateId: ({ entry }) => pageOf(entry),
        retainBody: false,
      }),
    ),
    schema: docsSchema(),
  }),
};
