// boot-sector.static.mjs -- the boot sector of a chapter, from the image that is built
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../site.mjs';
import { SECTOR_SIZE, areas, statements, symbols } from './boot-sector.math.mjs';
import { map, table } from './boot-sector.view.mjs';

/** A boot sector as it lies on the disk, and what its parts are; nothing if it is not built. */
function sector(chapter) {
  const built = (name) => path.join(root, 'build', chapter, name);
  const files = ['disk.img', 'boot.lst', 'boot.map'].map(built);
  if (!files.every(existsSync)) return undefined;
  const [image, listing, mapFile] = files.map((file) => readFileSync(file));
  const names = symbols(mapFile.toString());
  const all = statements(listing.toString());
  const labels = Object.entries(names)
    .filter(([name]) => /^[a-z]/.test(name))
    .map(([name, value]) => ({ name, from: value - names.BOOT_SECTOR }))
    .filter(({ from }) => from >= 0 && from < SECTOR_SIZE)
    .sort((a, b) => a.from - b.from);
  return {
    used: names.boot_code_end - names.BOOT_SECTOR,
    room: names.BOOT_CODE_SIZE,
    bytes: [...image.subarray(0, SECTOR_SIZE)],
    areas: areas(all, names),
    statements: all,
    labels,
  };
}

// In a script, "<" could begin its end.
const data = ({ areas, statements, labels }) =>
  JSON.stringify({ areas, statements, labels }).replace(/</g, '\\u003c');

// The answer is not read out when it changes: the slider's value says the same.
export function html(page) {
  const found = sector(page);
  if (!found) return '';
  return `<boot-sector class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">All 512 bytes, and what each is for</p>
<p>${found.used} of ${found.room} bytes are used.</p>
${map(found)}
<output aria-live="off"></output>
${table(found)}
<script type="application/json">${data(found)}</script>
</boot-sector>`;
}
