// built.mjs -- the files and pages that make website has left in build/website
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { docs, output, pageOf } from '../site.mjs';

// The copies of source files are made alike: looking at a few is enough.
const SOURCE = /^source\//;
const SOURCE_LOOKED_AT = /^source\/(common\/x86\/|chapters\/06)/;

/** The page of each file of docs/, as its address below the site's. */
export const posts = readdirSync(docs)
  .filter((file) => file.endsWith('.md'))
  .map((file) => `${pageOf(file)}/`);

/** The files of the built site, as paths from its root. */
export function builtFiles(folder = output) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** The pages of the built site, as addresses below the site's. */
export function builtPages() {
  return builtFiles()
    .filter((file) => file.endsWith('.html'))
    .map((file) => file.replace(/(^|\/)index\.html$/, '$1'));
}

/** The file of a page. */
export function fileOf(page) {
  return page === '' || page.endsWith('/') ? `${page}index.html` : page;
}

/** All pages, but not every copy of a source file. */
export function pagesToLookAt() {
  return builtPages().filter((page) => !SOURCE.test(page) || SOURCE_LOOKED_AT.test(page));
}
