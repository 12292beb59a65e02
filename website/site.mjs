// site.mjs -- where things are: in the repository, and on the web
//
// SITE is the address that the site will have: for the feed, and for what search engines and
// other sites are told; without it they are told nothing. REPOSITORY is that of the repository
// on its host: with it, each listing and each page leads to its file there, without it to a copy
// on the site.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = rootAbove(path.dirname(fileURLToPath(import.meta.url)));
export const docs = path.join(root, 'docs');
export const output = process.env.WEBSITE_OUTPUT || path.join(root, 'build', 'website');
export const fonts = path.join(root, 'build', 'fonts');
export const published = Boolean(process.env.SITE);
export const site = (process.env.SITE || 'http://localhost:4321').replace(/\/?$/, '/');
export const repository = (process.env.REPOSITORY || '').replace(/\/$/, '');

/** Astro bundles this file into a folder of its own when a page imports it: look upwards. */
function rootAbove(folder) {
  return existsSync(path.join(folder, 'chapters')) ? folder : rootAbove(path.dirname(folder));
}

/** Where a file of the repository can be read; `file` is its path from the root. */
export function sourceLink(file) {
  return repository ? `${repository}/blob/main/${file}` : `/source/${file}/`;
}

/** The address of a page, from the name of its file in docs/. */
export function pageOf(file) {
  return file === 'README.md' ? 'contents' : file.replace(/\.md$/, '');
}

/** A chapter's number is only in its name: "05-long-mode" is 5. Other pages have none: NaN. */
export const numberOf = (page) => Number.parseInt(page, 10);

/** "5. The step to long mode"; the title of a page that is no chapter stays as it is. */
export const numbered = (page, title) => (numberOf(page) ? `${numberOf(page)}. ${title}` : title);

/** The folders of the chapters, in order: "01-boot-sector" and so on. */
export const chapters = readdirSync(path.join(root, 'chapters')).sort();

/** The headings of docs/README.md, each with the pages that its table links to and tells about. */
export function tableOfContents() {
  const groups = [];
  for (const line of readFileSync(path.join(docs, 'README.md'), 'utf8').split('\n')) {
    const heading = /^## (.+)$/.exec(line);
    const link = /^\|(?:[^|]*\|)? ?\[([^\]]+)\]\(([\w.-]+\.md)\) \| (.+) \|$/.exec(line);
    if (heading) groups.push({ label: heading[1], pages: [] });
    else if (link) groups.at(-1).pages.push({ label: link[1], page: pageOf(link[2]), about: link[3] });
  }
  return groups.filter((group) => group.pages.length > 0);
}
