// relative.mjs -- make every address in the built site relative to the page it stands on
//
// So the site works wherever it is put: at the top of a host, below any path, or in a
// folder that a local server shows. Only the page for what is not there is shown at any
// address: its own begin with the path of SITE, if that is given.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { published, site } from '../site.mjs';

// The text behind a copy button, data-code, may begin with a slash and is no address.
const ATTRIBUTES = /\b(href|src|poster|data-(?!code=)[\w-]+|content|action)="\/(?!\/)([^"]*)"/g;
const URL_IN_CSS = /\burl\((["']?)\/(?!\/)/g;

function* pages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* pages(file);
    else if (/\.(html|css)$/.test(entry.name)) yield file;
  }
}

/** The text of a page or a style sheet, `file` on the site, with its addresses relative to it. */
export function relative(text, file) {
  const up =
    file === '404.html' && published
      ? new URL(site).pathname
      : '../'.repeat(file.split(path.sep).length - 1) || './';
  return text
    .replace(ATTRIBUTES, (_, name, rest) => `${name}="${up}${rest}"`)
    .replace(URL_IN_CSS, (_, quote) => `url(${quote}${up}`);
}

/** Make the addresses in all pages and style sheets of a built site relative. */
export function makeRelative(folder) {
  for (const file of pages(folder)) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, relative(text, path.relative(folder, file)));
  }
}
