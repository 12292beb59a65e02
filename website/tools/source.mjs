// source.mjs -- the repository's files as pages, for a site that knows no host of the repository
//
// There are hundreds. They are written behind Astro's back: neither it nor the search has to
// read them all.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository, root } from '../site.mjs';
import { escaped } from './escaped.mjs';
import { relative } from './relative.mjs';

const FOLDERS = ['chapters', 'common', 'tests'];
const hidden = (name) => name.startsWith('.') || name === '__pycache__';
const isText = (bytes) => !bytes.includes(0);

/** A folder and all in it: { file, entries } for a folder, { file, text } for a file. */
function* walk(file) {
  const entries = readdirSync(path.join(root, file), { withFileTypes: true })
    .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }))
    .filter(({ name, folder }) => !hidden(name)
      && (folder || isText(readFileSync(path.join(root, file, name)))))
    .toSorted((a, b) => b.folder - a.folder || a.name.localeCompare(b.name));
  yield { file, entries };
  for (const { name, folder } of entries) {
    if (folder) yield* walk(`${file}/${name}`);
    else yield* read(`${file}/${name}`);
  }
}

function* read(file) {
  const bytes = readFileSync(path.join(root, file));
  if (isText(bytes)) yield { file, text: bytes.toString('utf8').replace(/\n$/, '') };
}

/** All that sourceLink() may lead to on the site: nothing, where it leads elsewhere. */
export function sources() {
  if (repository) return [];
  const top = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !hidden(entry.name))
    .flatMap(({ name }) => [...read(name)]);
  return [...top, ...FOLDERS.flatMap((folder) => [...walk(folder)])];
}

const link = (file, name) => `<a href="/source/${file}/">${escaped(name)}</a>`;

function list({ file, entries }) {
  const items = entries.map(({ name, folder }) =>
    `<li>${link(`${file}/${name}`, folder ? `${name}/` : name)}</li>`);
  return `<ul>\n${items.join('\n')}\n</ul>`;
}

function lines({ file, text }) {
  const numbered = text.split('\n').map((line, index) =>
    `<span id="L${index + 1}">${escaped(line)}\n</span>`);
  return `<pre tabindex="0" role="region" aria-label="${file}">${numbered.join('')}</pre>`;
}

/** The page of one of them, /source/FILE/. */
export function page(source) {
  const folders = source.file.split('/');
  const name = folders.pop();
  const above = folders.map((folder, index) => link(folders.slice(0, index + 1).join('/'), folder));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${source.file} | First Light</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/source.css">
<script>
// The theme that the reader chose on a post; Starlight keeps it there.
document.documentElement.dataset.theme = localStorage.getItem('starlight-theme') || 'auto';
</script>
</head>
<body>
<header><a href="/">First Light</a></header>
<main>
${above.length ? `<nav aria-label="Folders">${above.join(' / ')} /</nav>` : ''}
<h1>${name}${source.entries ? '/' : ''}</h1>
${source.entries ? list(source) : lines(source)}
</main>
</body>
</html>
`;
}

/** Write them all, into a folder that has the built site. */
export function writeSources(folder) {
  for (const source of sources()) {
    const file = path.join('source', source.file, 'index.html');
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(folder, file), relative(page(source), file));
  }
}
