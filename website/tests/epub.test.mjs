// epub.test.mjs -- the book, as a program for books finds it: taken apart, and read
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fromHtml } from 'hast-util-from-html';
import { matches, select, selectAll } from 'hast-util-select';
import { toString } from 'hast-util-to-string';
import { docs, output, root, tableOfContents } from '../site.mjs';
import { none } from './none.mjs';

const PYTHON = process.env.PYTHON || 'python3';
const UNPACK = `
import sys, xml.etree.ElementTree, zipfile
book = zipfile.ZipFile(sys.argv[1])
book.extractall(sys.argv[2])
for name in book.namelist():
    if name.endswith((".xhtml", ".opf", ".ncx", ".svg", ".xml")):
        try:
            xml.etree.ElementTree.fromstring(book.read(name))
        except xml.etree.ElementTree.ParseError as error:
            print(f"{name}: {error}")
`;
const LISTING = /^( *)```.*\n([^]*?)^ *```$/gm;

const doctor = path.join(root, 'common', 'make', 'doctor.py');
const here = spawnSync(PYTHON, [doctor, '--where', 'pandoc']).status === 0;
const options = { skip: here ? false : 'pandoc is not installed: the site has no EPUB' };

const posts = tableOfContents().flatMap(({ pages }) => pages.map(({ page }) => page));
const markdown = (page) => readFileSync(path.join(docs, `${page}.md`), 'utf8');
const file = path.join(output, 'first-light.epub');
const folder = mkdtempSync(path.join(tmpdir(), 'first-light-epub-'));
after(() => rmSync(folder, { recursive: true }));

const read = (name) => readFileSync(path.join(folder, 'EPUB', name), 'utf8');
const trees = new Map();
const ids = new Map();
let malformed, description, chapters;

before(() => {
  if (!here) return;
  malformed = execFileSync(PYTHON, ['-c', UNPACK, file, folder], { encoding: 'utf8' });
  description = fromHtml(read('content.opf').replaceAll(/<(\/?)(\w+):/g, '<$1$2-'), { fragment: true });
  const hrefs = selectAll('item', description).map(({ properties }) => properties.href);
  for (const name of hrefs.filter((href) => href.endsWith('.xhtml'))) {
    const tree = fromHtml(read(name));
    trees.set(name, tree);
    ids.set(name, new Set(selectAll('[id]', tree).map(({ properties }) => properties.id)));
  }
  chapters = [...trees].filter(([name]) => /\/ch\d+\.xhtml$/.test(name)).map(([, tree]) => tree);
});

/** All addresses of the book: [the part that has it, the address]. */
function addresses(selector, attribute) {
  return [...trees].flatMap(([part, tree]) =>
    selectAll(selector, tree).map(({ properties }) => [part, properties[attribute]]),
  );
}

/** Whether an address leads to something in the book. */
function leads([part, address]) {
  const { pathname, hash } = new URL(address, `file:///${part}`);
  const name = pathname.slice(1);
  if (!existsSync(path.join(folder, 'EPUB', name))) return false;
  return !hash || ids.get(name).has(hash.slice(1));
}

test('the book begins as programs for books ask for, and its parts are well-formed', options, () => {
  const start = readFileSync(file).subarray(30, 58).toString('latin1');
  assert.equal(start, 'mimetypeapplication/epub+zip');
  assert.equal(malformed, '');
});

test('the book says what it is: title, language, licence, and a cover', options, () => {
  const said = (name) => toString(select(name, description));
  assert.equal(said('dc-title'), 'First Light');
  assert.equal(said('dc-language'), 'en');
  assert.match(said('dc-rights'), /CC BY 4\.0.*0BSD/);
  assert.match(said('dc-identifier'), /^urn:uuid:/);
  const cover = select('item[properties="cover-image"]', description);
  assert.ok(leads(['', cover.properties.href]));
});

test('every post is a chapter of the book, in order, and stands in its contents', options, () => {
  const titles = posts.map((page) => {
    const title = /^# (.+)$/m.exec(markdown(page))[1].replaceAll('`', '');
    return /^\d/.test(page) ? `${Number.parseInt(page, 10)}. ${title}` : title;
  });
  assert.deepEqual(chapters.map((tree) => toString(select('h1', tree))), titles);
  const contents = selectAll('#toc > ol > li > a', trees.get('nav.xhtml')).map((node) => toString(node));
  assert.deepEqual(contents, titles);
});

test('every picture of the book is in it and has words, and every link leads somewhere', options, () => {
  const pictures = addresses('img', 'src');
  assert.ok(pictures.length >= 40, `${pictures.length} pictures`);
  const links = addresses('a[href]', 'href').filter(([, href]) => !/^(https?|mailto):/.test(href));
  assert.ok(links.length >= 400, `${links.length} links`);
  none([...pictures, ...links].filter((one) => !leads(one)).map((one) => one.join(': ')), 'dead ends');
  none(links.filter(([, href]) => /\.md\b/.test(href)).map((one) => one.join(': ')), 'links to Markdown');
  none(addresses('img:not([alt])', 'src'), 'pictures without words');
});

test('every listing stands in the book as it is in the post, its indentation with it', options, () => {
  const lost = posts.flatMap((page, index) => {
    const there = selectAll('pre', chapters[index]).map((node) => toString(node).trimEnd());
    return [...markdown(page).matchAll(LISTING)]
      .map(([, indent, text]) => text.replace(new RegExp(`^${indent}`, 'gm'), '').trimEnd())
      .filter((text) => !there.includes(text))
      .map((text) => `${page}: ${text}`);
  });
  none(lost, 'listings are not in the book');
  const assembly = selectAll('code.nasm', chapters[0]);
  assert.ok(assembly.length > 5 && assembly.every((node) => select('span.kw, span.dt', node)));
});

test('what a post folds away is folded in the book, and each drawing in words', options, () => {
  posts.forEach((page, index) => {
    const asked = markdown(page).match(/<details>|^\*The drawing in words/gm) ?? [];
    const found = selectAll('details', chapters[index]);
    assert.equal(found.length, asked.length, page);
    assert.ok(found.every((node) => matches('summary', node.children[0])), page);
  });
});

test('notes and warnings are quotations that begin with their kind', options, () => {
  posts.forEach((page, index) => {
    const marked = markdown(page).match(/^> \[!\w+\]$/gm) ?? [];
    const begun = selectAll('blockquote > p:first-child > strong:first-child', chapters[index])
      .filter((node) => /^(Note|Warning)\.$/.test(toString(node)));
    assert.equal(begun.length, marked.length, page);
  });
});
