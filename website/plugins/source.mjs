// source.mjs -- the copies of the repository's files, /source/FILE/
//
// There are hundreds. They are written behind Astro's back, and after the search has been made:
// neither has to read them all. So this integration comes after Starlight.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { page, sources } from '../tools/source.mjs';

export function sourcePages() {
  return {
    name: 'source-pages',
    hooks: {
      'astro:server:setup': ({ server }) => {
        server.middlewares.use('/source', (request, response, next) => {
          const file = decodeURI(request.url).replace(/^\/|\/?(\?.*)?$/g, '');
          const source = sources().find((one) => one.file === file);
          if (!source) return next();
          response.setHeader('Content-Type', 'text/html; charset=utf-8');
          response.end(page(source));
        });
      },
      'astro:build:done': ({ dir }) => {
        for (const source of sources()) {
          const folder = new URL(`source/${encodeURI(source.file)}/`, dir);
          mkdirSync(folder, { recursive: true });
          writeFileSync(fileURLToPath(new URL('index.html', folder)), page(source));
        }
      },
    },
  };
}
