// sitemap.xml.ts -- the pages that a search engine should know: the front page and those of docs/
//
// Not the diffs and the copies of sources: the posts show of them what is worth finding.
import { readdirSync } from 'node:fs';
import { docs, pageOf, site } from '../../site.mjs';

export function GET() {
  const posts = readdirSync(docs).filter((file) => file.endsWith('.md'));
  const urls = ['', ...posts.map((file) => `${pageOf(file)}/`)].map(
    (page) => `  <url><loc>${new URL(page, site).href}</loc></url>`,
  );
  const xml = `<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
  return new Response(xml, { headers: { 'Content-Type': 'application/xml' } });
}
