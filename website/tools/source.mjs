// source.mjs -- the repository's files, for a site that knows no host of the repository
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repository, root } from '../site.mjs';

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
