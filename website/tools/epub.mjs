// epub.mjs -- the posts as a book, with pandoc: build/first-light.epub
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { docs, root, tableOfContents } from '../site.mjs';

const TITLED = /^( *)(```\w+) (?:title|save)="([^"]+)".*$/gm;

const folder = path.join(root, 'build', 'epub');
const names = tableOfContents().flatMap(({ pages }) => pages.map(({ page }) => page));
const files = names.map((page) => `${page}.md`);
const number = (file) => (/^\d/.test(file) ? `${Number.parseInt(file, 10)}. ` : '');

/** A post as pandoc is to read it: without what a site is told, its listings named above. */
function prepared(file) {
  return readFileSync(path.join(docs, file), 'utf8')
    .replace(/^---\n[^]*?\n---\n/, '')
    .replace(/^# /m, `# ${number(file)}`)
    .replace(TITLED, '$1**`$3`**\n\n$1$2');
}

mkdirSync(folder, { recursive: true });
for (const file of files) writeFileSync(path.join(folder, file), prepared(file));

const metadata = {
  title: 'First Light',
  subtitle: 'From power-on to a 64-bit kernel in C',
  lang: 'en',
  pages: names.join(' '), // for the filter
  rights: 'Text and drawings: CC BY 4.0. Code: 0BSD.',
};
execFileSync(
  'pandoc',
  [
    '--from=gfm-tex_math_dollars',
    '--to=epub3',
    '--file-scope', // each file's headings have ids of their own
    '--toc-depth=2',
    `--lua-filter=${path.join(root, 'website', 'tools', 'epub.lua')}`,
    `--resource-path=${docs}`,
    ...Object.entries(metadata).map(([name, value]) => `--metadata=${name}:${value}`),
    `--output=${path.join(root, 'build', 'first-light.epub')}`,
    ...files,
  ],
  { cwd: folder, stdio: 'inherit' },
);
