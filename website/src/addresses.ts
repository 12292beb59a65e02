// addresses.ts -- what each page tells of its address to those who show it elsewhere
//
// Starlight would leave out the path of SITE. The page for what is not there has no address.
import { defineRouteMiddleware } from '@astrojs/starlight/route-data';
import { published, site } from '../site.mjs';

const property = (property: string, content: string) =>
  ({ tag: 'meta', attrs: { property, content } }) as const;

export const onRequest = defineRouteMiddleware(({ locals, url }) => {
  if (!published || url.pathname.startsWith('/404')) return;
  const href = new URL(url.pathname.slice(1), site).href;
  locals.starlightRoute.head.push(
    { tag: 'link', attrs: { rel: 'canonical', href } },
    property('og:url', href),
    property('og:image', new URL('social.png', site).href),
  );
});
