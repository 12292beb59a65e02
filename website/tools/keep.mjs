// keep.mjs -- tell the service worker what to fetch ahead: the pages, and what they are made of
//
// About 1.2 MB as it is sent. Not the diffs, the copies of sources, the single file and the book:
// who opens one of them has it until the next build.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const PAGE = /^(?!source\/|changes\/)(.+\/)?index\.html$/;
const PART = /^(_astro\/.+\.(css|js|png|svg|woff2)|favicon\.svg)$/;
const SEARCH =
  /^pagefind\/(pagefind(-worker)?\.js|pagefind-entry\.json|wasm\.en\.|.*_meta$|fragment\/|index\/)/;

/** The files of a built site that belong to its pages. */
function keptFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => [PAGE, PART, SEARCH].some((kind) => kind.test(file)))
    .sort();
}

/** Put the list above the service worker of a built site. */
export function keep(folder) {
  const files = keptFiles(folder);
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(path.join(folder, file)));
  const version = hash.digest('hex').slice(0, 16);
  const addresses = files.map((file) => `./${file.replace(/(^|\/)index\.html$/, '$1')}`);
  const worker = path.join(folder, 'sw.js');
  const text = readFileSync(worker, 'utf8');
  const list = `const KEPT = ${JSON.stringify(addresses)};\nconst VERSION = '${version}';\n`;
  writeFileSync(worker, list + text);
}
