// epub.mjs -- the posts as a book, with pandoc: build/first-light.epub
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  docs, numbered, published, repository, root, site, sourceLink, tableOfContents,
} from '../site.mjs';
import { escaped } from './escaped.mjs';

const TITLED = /^( *)(```\w+) (title|save)="([^"]+)".*$/gm;
const IDENTITY = 'urn:uuid:e64845b6-1096-44b4-bb06-a626e70527b2'; // of the book, in all its editions

const tools = path.join(root, 'website', 'tools');
const folder = path.join(root, 'build', 'epub');
const names = tableOfContents().flatMap(({ pages }) => pages.map(({ page }) => page));
const files = names.map((page) => `${page}.md`);

/** Where the reader of a book finds a file of the repository: an address, or nothing. */
function addressOf(file) {
  const link = sourceLink(file);
  if (/^https?:/.test(link)) return link;
  return published ? new URL(link.slice(1), site).href : '';
}

/** The line above a listing; a file that the reader is asked to write is nowhere to be found. */
function caption(kind, file) {
  const name = `<code>${escaped(file)}</code>`;
  const address = kind === 'title' && addressOf(file);
  return `<p class="file">${address ? `<a href="${escaped(address)}">${name}</a>` : name}</p>`;
}

/** A post as pandoc is to read it: without what a site is told, its listings named above. */
function prepared(file) {
  return readFileSync(path.join(docs, file), 'utf8')
    .replace(/^---\n[^]*?\n---\n/, '')
    .replace(/^# (.+)$/m, (_, title) => `# ${numbered(file, title)}`)
    .replace(/^> \[!(\w)(\w+)\]$/gm, (_, first, rest) => `> **${first}${rest.toLowerCase()}.**`)
    .replace(TITLED, (_, indent, fence, kind, name) => {
      return `${indent}${caption(kind, name)}\n\n${indent}${fence}`;
    });
}

mkdirSync(folder, { recursive: true });
for (const file of files) writeFileSync(path.join(folder, file), prepared(file));

const home = repository || (published ? site : '');
const metadata = {
  title: 'First Light',
  subtitle: 'From power-on to a 64-bit kernel in C',
  author: 'The First Light contributors',
  lang: 'en',
  identifier: IDENTITY,
  rights: 'Text and drawings: CC BY 4.0. Code: 0BSD.',
  ...(home && { source: home }),
  'toc-title': 'Contents',
  pages: names.join(' '), // for the filter, and the next, too
  'file-address': addressOf('FILE'),
};
execFileSync(
  'pandoc',
  [
    '--from=gfm-tex_math_dollars',
    '--to=epub3',
    '--preserve-tabs', // of what programs print
    '--toc-depth=2',
    `--css=${path.join(tools, 'epub.css')}`,
    `--epub-cover-image=${path.join(tools, 'cover.png')}`,
    `--lua-filter=${path.join(tools, 'epub.lua')}`,
    `--resource-path=${docs}`,
    ...Object.entries(metadata).map(([name, value]) => `--metadata=${name}:${value}`),
    `--output=${path.join(root, 'build', 'first-light.epub')}`,
    ...files,
  ],
  { cwd: folder, stdio: 'inherit' },
);
