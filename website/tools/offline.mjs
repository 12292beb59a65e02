// offline.mjs -- all pages in one file that needs no network: build/website/first-light.html
//
// Made from the pages as they were built: their text, and in it the pictures, the styles, the
// fonts and the scripts of the drawings. A link from page to page becomes one within the file;
// one to something that is not in it leads to the site, or where it has no address, nowhere.
// The book, which make built before, is put beside it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { fromHtml } from 'hast-util-from-html';
import { select } from 'hast-util-select';
import { toHtml } from 'hast-util-to-html';
import { toString } from 'hast-util-to-string';
import { SKIP, visit } from 'unist-util-visit';
import { CONTINUE, visitParents } from 'unist-util-visit-parents';
import { numbered, output, published, root, site, tableOfContents } from '../site.mjs';
import { escaped } from './escaped.mjs';

const TYPES = { '.svg': 'image/svg+xml', '.png': 'image/png' };
const FONT = /url\(["']?([^"')]+\.woff2)["']?\)/g;
// What names another element of the same page, and so must stay unique among all pages.
const REFERENCES = ['id', 'htmlFor', 'ariaLabelledBy', 'ariaDescribedBy', 'ariaControls'];

const groups = tableOfContents();
const names = groups.flatMap(({ pages }) => pages.map(({ page }) => page));
const inside = (page, id) => (id && id !== '_top' ? `${page}.${id}` : page);
const read = (file) => readFileSync(path.join(output, file), 'utf8');
const data = (file, type) =>
  `data:${type};base64,${readFileSync(path.join(output, file)).toString('base64')}`;

/** Where an address on a page leads, as a path from the top of the site. */
const resolved = (address, page) => new URL(address, `file:///${page}/`);

/** The address of a link, for a reader who has this file alone; undefined for nowhere. */
function leadsTo(address, page) {
  if (/^(https?|mailto):/.test(address)) return address;
  const { pathname, hash } = resolved(address, page);
  const name = pathname.replace(/^\/|\/$/g, '');
  if (names.includes(name)) return `#${inside(name, hash.slice(1))}`;
  return published ? new URL(pathname.slice(1) + hash, site).href : undefined;
}

function embedLink(node, page) {
  const target = leadsTo(node.properties.href, page);
  if (target) node.properties.href = target;
  else Object.assign(node, { tagName: 'span', properties: {} });
}

function embedImage(node, page) {
  const file = resolved(node.properties.src, page).pathname.slice(1);
  const type = TYPES[path.extname(file)];
  if (type) node.properties.src = data(file, type);
}

function embedReferences({ properties }, page) {
  for (const [name, value] of Object.entries(properties)) {
    if (REFERENCES.includes(name)) {
      properties[name] = [value].flat().map((id) => inside(page, id));
    } else if (typeof value === 'string' && value.startsWith('url(#')) {
      properties[name] = value.replace('#', `#${page}.`);
    }
  }
}

/** A folded diff stands in the post: nothing can be fetched from beside a file. */
function embedChanges(node) {
  const file = `changes/${path.basename(node.properties.dataFrom)}/index.html`;
  const diff = { type: 'raw', value: `${part(read(file), 'chapter-diff')}</chapter-diff>` };
  const details = select('details', node);
  details.children = [select('summary', details), diff];
  node.tagName = 'div';
}

const bundles = new Map(); // several pages have the same ones

/** A module with all that it imports, as the text of a script. */
function bundled(file) {
  if (!bundles.has(file)) {
    const entryPoints = [path.join(output, file)];
    const { outputFiles } = buildSync({
      entryPoints, bundle: true, format: 'esm', minify: true, write: false,
    });
    bundles.set(file, outputFiles[0].text);
  }
  return bundles.get(file);
}

/** A style sheet with its fonts inside; `folder` is where its addresses begin. */
function withFonts(text, folder) {
  return text.replace(FONT, (_, font) => {
    const file = resolved(font, folder).pathname.slice(1);
    return `url(${data(file, 'font/woff2')})`;
  });
}

function styleOf({ tagName, properties, children }, page) {
  if (tagName === 'style') return withFonts(children[0].value, page);
  const file = resolved(properties.href, page).pathname.slice(1);
  const text = withFonts(read(file), path.dirname(file));
  return properties.media ? `@media ${properties.media}{${text}}` : text;
}

const scriptOf = ({ properties, children }, page) =>
  properties.src ? bundled(resolved(properties.src, page).pathname.slice(1)) : children[0].value;

/** Take out of a page what stands once, for all pages: the styles, and the scripts of its text. */
function takeOut(tree, page) {
  const [styles, scripts] = [[], []];
  visitParents(tree, 'element', (node, above) => {
    const { tagName, properties } = node;
    if (tagName === 'svg') return SKIP; // a drawing keeps its own styles
    if (tagName === 'style' || (tagName === 'link' && properties.rel.includes('stylesheet'))) {
      styles.push(styleOf(node, page));
    } else if (tagName === 'script' && properties.type === 'module') {
      if (above.some((one) => one.tagName === 'main')) scripts.push(scriptOf(node, page));
    } else if (tagName !== 'link') {
      return CONTINUE;
    }
    const { children } = above.at(-1);
    const place = children.indexOf(node);
    children.splice(place, 1);
    return [SKIP, place];
  });
  return { styles, scripts };
}

/** An element of a page, as text; it is the only one of its kind. */
const part = (text, name) => text.slice(text.indexOf(`<${name}`), text.indexOf(`</${name}>`));

/** One page: { html, styles, scripts }. */
function article(page) {
  const built = read(`${page}/index.html`);
  const tree = fromHtml(part(built, 'head') + part(built, 'main'), { fragment: true });
  const once = takeOut(tree, page);
  const main = select('main', tree);
  const title = toString(select('h1', main));
  const content = select('.sl-markdown-content', main);
  visit(content, 'element', (node) => {
    const { tagName, properties } = node;
    if (tagName === 'chapter-changes') embedChanges(node);
    if (tagName === 'a' && properties.href) embedLink(node, page);
    if (tagName === 'img') embedImage(node, page);
    embedReferences(node, page);
  });
  const heading = `<h1>${escaped(numbered(page, title))}</h1>`;
  const back = '<p><a href="#contents-of-all">Contents</a></p>';
  const text = toHtml(content, { allowDangerousHtml: true }); // the diffs
  return { html: `<article id="${page}">${heading}${text}${back}</article>`, ...once };
}

const line = ({ label, page }) =>
  `<li><a href="#${page}">${escaped(numbered(page, label))}</a></li>`;
const contents = groups
  .map(({ label, pages }) => `<h2>${escaped(label)}</h2>\n<ul>${pages.map(line).join('')}</ul>`)
  .join('\n');

/** The whole file. Without scripts it is dark, and plain.css makes it light where the system is. */
function whole(articles) {
  const once = (key) => [...new Set(articles.flatMap((one) => one[key]))];
  return `<!DOCTYPE html>
<html lang="en" data-theme="dark">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>First Light, all of it</title>
<link rel="icon" href="${data('favicon.svg', TYPES['.svg'])}">
<script>
const light = matchMedia('(prefers-color-scheme: light)').matches;
document.documentElement.dataset.theme = light ? 'light' : 'dark';
</script>
<style>
${once('styles').join('\n')}
body { max-width: 52rem; margin: 0 auto; padding: 1rem 1rem 6rem; }
header { margin-block: 4rem; }
header ul { padding: 0; list-style: none; }
article { margin-block-start: 6rem; border-block-start: 1px solid var(--sl-color-gray-5); }
article > h1 {
  margin-block: 3rem 1.5rem; color: var(--sl-color-white);
  font-size: var(--sl-text-h1); line-height: 1.2;
}
@media print { article { break-before: page; border: 0; } }
</style>
</head>
<body>
<header class="sl-markdown-content">
<h1>First Light</h1>
<p>From power-on to a 64-bit kernel in C, step by step: all posts and all pages in one file.</p>
<nav id="contents-of-all" aria-label="Contents">
${contents}
</nav>
</header>
<main>
${articles.map((one) => one.html).join('\n')}
</main>
${once('scripts').map((text) => `<script type="module">${text}</script>`).join('\n')}
</body>
</html>
`;
}

/** Write the file, and put the book beside it. */
export function writeOffline() {
  writeFileSync(path.join(output, 'first-light.html'), whole(names.map(article)));
  const book = path.join(root, 'build', 'first-light.epub');
  if (existsSync(book)) copyFileSync(book, path.join(output, path.basename(book)));
}
