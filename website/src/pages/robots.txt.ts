// robots.txt.ts -- everybody may read everything; here is the list of it
import { site } from '../../site.mjs';

export function GET() {
  const sitemap = new URL('sitemap-index.xml', site.replace(/\/?$/, '/')).href;
  return new Response(`User-agent: *\nAllow: /\n\nSitemap: ${sitemap}\n`);
}
