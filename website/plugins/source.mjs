// source.mjs -- make website-serve shows the copies of the repository's files, /source/FILE/
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
    },
  };
}
