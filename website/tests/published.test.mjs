// published.test.mjs -- the site as the workflow publishes it: below a path, with a repository
//
// It is built for this, into a folder that goes with the test. The repository is on the same
// host as the site: neither may be taken for the other.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fromHtml } from 'hast-util-from-html';
import { select, selectAll } from 'hast-util-select';
import { toString } from 'hast-util-to-string';
import { chapters, root } from '../site.mjs';
import { builtFiles, fileOf, posts } from './built.mjs';
import { none } from './none.mjs';

const HOST = 'https://example.org';
const SITE = `${HOST}/first-light`; // without a slash, as GitHub gives it
const REPOSITORY = `${HOST}/first-light-code`;
const IN_REPOSITORY = /^\/first-light-code\/(?:blob|edit|tree)\/main\/(.+)$/;

const folder = mkdtempSync(path.join(os.tmpdir(), 'first-light-'));
after(() => rmSync(folder, { recursive: true }));

before(async () => {
  const env = { ...process.env, SITE, REPOSITORY, WEBSITE_OUTPUT: folder };
  delete env.NODE_TEST_CONTEXT;
  await promisify(execFile)('npm', ['run', '--silent', 'build'],
    { cwd: path.join(root, 'website'), env, maxBuffer: 1 << 26 });
});

const read = (file) => readFileSync(path.join(folder, file), 'utf8');
const trees = new Map();
function tree(file) {
  if (!trees.has(file)) trees.set(file, fromHtml(read(file)));
  return trees.get(file);
}

const xml = (file) => fromHtml(read(file), { space: 'svg', fragment: true });
const texts = (selector, node) => selectAll(selector, node).map((each) => toString(each));
const pages = () => builtFiles(folder).filter((file) => file.endsWith('.html'));

/** The address of a page, from its file. */
const addressOf = (file) => `${SITE}/${file.replace(/(^|\/)index\.html$/, '$1')}`;

/** The file that an address on the host leads to, or undefined for one that leads to none. */
function fileAt(address) {
  const { href, pathname } = new URL(address);
  if (href.startsWith(`${SITE}/`)) {
    return path.join(folder, fileOf(decodeURIComponent(pathname.slice('/first-light/'.length))));
  }
  if (pathname === '/first-light-code') return root;
  const [, file] = IN_REPOSITORY.exec(decodeURIComponent(pathname)) ?? [];
  return file && path.join(root, file);
}

test('every address on the host leads to a file of the site or of the repository', () => {
  const lost = new Set();
  let repository = 0;
  for (const file of pages()) {
    for (const { properties } of selectAll('[href], [src]', tree(file))) {
      // The page for what is not there is shown at any address.
      const base = file === '404.html' ? `${SITE}/no/such/page` : addressOf(file);
      const address = new URL(properties.href ?? properties.src, base);
      if (address.origin !== HOST || (properties.href ?? '').startsWith('#')) continue;
      if (address.pathname.startsWith('/first-light-code/')) repository += 1;
      const target = fileAt(address);
      if (!target || !existsSync(target)) lost.add(`${file}: ${address}`);
    }
  }
  assert.ok(repository > 100, `only ${repository} links into the repository`);
  none([...lost], 'addresses that lead nowhere');
});

test('a page says where it is, once, with the path', () => {
  for (const file of pages().filter((each) => !/^(404|first-light)\.html$/.test(each))) {
    const head = select('head', tree(file));
    const said = ['link[rel=canonical]', 'meta[property="og:url"]'].map((selector) =>
      selectAll(selector, head).map(({ properties }) => properties.href ?? properties.content));
    assert.deepEqual(said, [[addressOf(file)], [addressOf(file)]], file);
  }
});

test('a page has a picture for those who speak of it, and an icon', () => {
  for (const file of pages().filter((each) => each !== 'first-light.html')) {
    const head = select('head', tree(file));
    const icon = new URL(select('link[rel="shortcut icon"]', head).properties.href, addressOf(file));
    assert.equal(icon.href, `${SITE}/favicon.svg`, file);
    if (file === '404.html') continue;
    const { content } = select('meta[property="og:image"]', head).properties;
    assert.equal(content, `${SITE}/social.png`, file);
  }
  const picture = readFileSync(path.join(folder, 'social.png')); // a PNG begins with its size
  assert.deepEqual([picture.readUInt32BE(16), picture.readUInt32BE(20)], [1200, 630]);
  assert.match(read('favicon.svg'), /<svg /);
});

test('the page for what is not there has no address', () => {
  assert.ok(!select('link[rel=canonical]', tree('404.html')));
});

test('the sitemap has the front page and the posts, and robots.txt leads to it', () => {
  assert.deepEqual(
    texts('loc', xml('sitemap.xml')).sort(),
    ['', ...posts].map((page) => `${SITE}/${page}`).sort(),
  );
  assert.match(read('robots.txt'), /^User-agent: \*\nAllow: \/\n/);
  assert.ok(read('robots.txt').includes(`\nSitemap: ${SITE}/sitemap.xml\n`));
});

test('the feed has what RFC 4287 asks for, and the chapters', () => {
  const feed = select('feed', xml('feed.xml'));
  const entries = selectAll('entry', feed);
  const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  for (const node of [feed, ...entries]) {
    const own = (name) => node.children.filter(({ tagName }) => tagName === name);
    for (const name of ['id', 'title', 'updated']) assert.equal(own(name).length, 1, name);
    assert.ok(toString(own('title')[0]).trim());
    assert.match(toString(own('updated')[0]), TIME);
    assert.ok(toString(own('id')[0]).startsWith(`${SITE}/`));
    const alternate = own('link').filter(({ properties }) => !properties.rel);
    assert.equal(alternate.length, 1);
    assert.ok(existsSync(fileAt(alternate[0].properties.href)));
  }
  assert.equal(feed.properties.xmlns, 'http://www.w3.org/2005/Atom');
  assert.ok(texts('author > name', feed)[0]); // of the feed, and so of each entry
  assert.equal(select('link[rel=self]', feed).properties.href, `${SITE}/feed.xml`);
  const ids = texts('id', feed);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.slice(1), chapters.toReversed().map((name) => `${SITE}/${name}/`));
  assert.equal(texts('updated', feed)[0], texts('entry > updated', feed).sort().at(-1));
});

test('a post can be edited where it is written, and names its licence', () => {
  for (const post of posts) {
    const page = tree(fileOf(post));
    const links = selectAll('footer a', page).map(({ properties }) => properties.href);
    const source = post === 'contents/' ? 'README.md' : `${post.slice(0, -1)}.md`;
    assert.ok(links.includes(`${REPOSITORY}/edit/main/docs/${source}`), post);
    for (const licence of ['LICENSE', 'LICENSE-docs']) {
      assert.ok(links.includes(`${REPOSITORY}/blob/main/${licence}`), `${post}: ${licence}`);
    }
  }
});

test('a link out of the single file leads to the repository', () => {
  const links = selectAll('a[href]', tree('first-light.html')).map(({ properties }) => properties.href);
  const out = links.filter((link) => link.startsWith(REPOSITORY));
  assert.ok(out.length > 0);
  none(out.filter((link) => !existsSync(fileAt(link) ?? '')), 'links to nothing');
});

test('the front page says how to come by the repository', () => {
  assert.ok(texts('.start dt', tree('index.html')).some((text) =>
    text.includes(`git clone ${REPOSITORY}`)));
});

test('of what the repository shows no copies are made', () => {
  assert.ok(!existsSync(path.join(folder, 'source')));
});
