// prefix.mjs -- addresses that name the host name the site's path on it, too
//
// A page's own address, which is in its head and in the sitemap, must be complete. Astro
// makes it from the host of SITE and leaves the path out.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { output, site } from '../site.mjs';

const { origin, pathname } = new URL(site.replace(/\/?$/, '/'));
const bare = new RegExp(`${origin.replaceAll('.', '\\.')}/(?!${pathname.slice(1)})`, 'g');

const files = readdirSync(output, { recursive: true }).filter((name) =>
  /\.html$|^sitemap[^/]*\.xml$/.test(name),
);
for (const name of pathname === '/' ? [] : files) {
  const file = path.join(output, name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(bare, origin + pathname));
}
