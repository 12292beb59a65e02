// robots.txt.ts -- everybody may read everything; here is the list of it
import { published, site } from '../../site.mjs';

export function GET() {
  const sitemap = published ? `\nSitemap: ${new URL('sitemap.xml', site).href}\n` : '';
  return new Response(`User-agent: *\nAllow: /\n${sitemap}`);
}
