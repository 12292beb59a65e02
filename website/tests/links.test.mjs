// links.test.mjs -- from the front page to every page, and no link into nothing
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fromHtml } from 'hast-util-from-html';
import { selectAll } from 'hast-util-select';
import { output, published, site } from '../site.mjs';
import { builtFiles, builtPages, fileOf, posts } from './built.mjs';
import { none } from './none.mjs';

// What no page needs to lead to: a host shows it by itself; or it is a copy of a file of ours
// of which no post speaks.
const UNLINKED = /^(404\.html$|source\/)/;

// Any address will do: nothing is fetched.
const address = 'http://first-light.invalid/some/where/';
const files = new Set(builtFiles());
const pages = new Set(builtPages());

/** Page (its address below the site's) -> { links, ids, images }, as it was built. */
const found = new Map();

before(() => {
  const waiting = [''];
  for (const page of waiting) {
    found.set(page, contents(page));
    for (const link of found.get(page).links.filter(isPage)) {
      if (!waiting.includes(below(link))) waiting.push(below(link));
    }
  }
});

/** A link to a page of ours that has been built; of the others a test below speaks. */
function isPage(link) {
  return link.startsWith(address) && pages.has(below(link));
}

function below(link) {
  return decodeURIComponent(link.slice(address.length).replace(/[?#].*/, ''));
}

/** What a page refers to, in full, and what can be referred to in it. */
function contents(page) {
  const tree = fromHtml(readFileSync(path.join(output, fileOf(page)), 'utf8'));
  const all = (selector, property) => selectAll(selector, tree)
    .map((element) => element.properties[property]);
  const inFull = (reference) => new URL(reference, address + page).href;
  return {
    links: all('a[href]', 'href').map(inFull),
    ids: new Set(all('[id]', 'id')),
    images: all('img[src]', 'src').map(inFull),
  };
}

test('every file of docs/ is a page, and each can be reached from the front page', () => {
  for (const post of posts) assert.ok(found.has(post), `${post} is nowhere linked`);
});

test('every page that was built can be reached from the front page', () => {
  const lost = [...pages].filter((page) => !found.has(page) && !UNLINKED.test(page));
  none(lost, 'pages without a way to them');
});

test('every link of ours leads to a file, and its anchor to a place there', () => {
  const broken = [];
  for (const [page, { links }] of found) {
    for (const link of new Set(links.filter((link) => link.startsWith(new URL(address).origin)))) {
      const anchor = decodeURIComponent(new URL(link).hash.slice(1));
      const target = found.get(below(link));
      const exists = link.startsWith(address) && (files.has(below(link)) || pages.has(below(link)));
      const missing = !exists || (anchor && target && !target.ids.has(anchor));
      if (missing) broken.push(`${page || 'the front page'}: ${link.replace(address, '')}`);
    }
  }
  none(broken, 'broken links');
});

test('every image is there', () => {
  const missing = [...found].flatMap(([page, { images }]) => images
    .filter((image) => image.startsWith('http') && !files.has(below(image)))
    .map((image) => `${page}: ${image}`));
  none(missing, 'missing images');
});

test('no page needs to know where the site is', () => {
  // Only who shows the site elsewhere (a search engine) is told its address, if it has one.
  const told = published ? /<(link|meta)\b[^>]*\b(rel="canonical"|property="og:)[^>]*>/g : '';
  for (const page of [...files].filter((file) => /\.(html|js|css)$/.test(file))) {
    const text = readFileSync(path.join(output, page), 'utf8').replace(told, '');
    assert.ok(!text.includes(site), `${page} has an address of ${site}`);
    assert.ok(!/\b(href|src)="\/(?!\/)/.test(text), `${page} has an address that begins with /`);
  }
});
