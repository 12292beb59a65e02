// boot-sector.static.mjs -- the boot sectors of the first chapters, from the images that are built
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chapters, root } from '../../site.mjs';
import { SECTOR_SIZE, areas, statements, symbols } from './boot-sector.math.mjs';
import { map, table } from './boot-sector.view.mjs';

const PROGRAMS = { '01-boot-sector': 'boot', '02-second-stage': 'first_stage' };

/** A boot sector as it lies on the disk, and what its parts are; nothing if it is not built. */
function sector(chapter) {
  const built = (name) => path.join(root, 'build', chapter, name);
  const program = PROGRAMS[chapter];
  const files = ['disk.img', `${program}.lst`, `${program}.map`].map(built);
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
    number: chapters.indexOf(chapter) + 1,
    used: names.boot_code_end - names.BOOT_SECTOR,
    room: names.BOOT_CODE_SIZE,
    bytes: [...image.subarray(0, SECTOR_SIZE)],
    areas: areas(all, names),
    statements: all,
    labels,
  };
}

const choice = ({ number }, i) => `<label><input type="radio" name="sector" value="${i}"${
  i === 0 ? ' checked' : ''}> ${number}</label>`;

// The answer is not read out when it changes: the slider's value says the same.
const view = (each, i) => `<div class="view"${i === 0 ? '' : ' hidden'}>
<p>Chapter ${each.number}: ${each.used} of ${each.room} bytes are used.</p>
${map(each)}
<output aria-live="off"></output>
${table(each)}
</div>`;

// In a script, "<" could begin its end.
const data = (sectors) => JSON.stringify(sectors.map(({ bytes, areas, statements, labels }) =>
  ({ bytes, areas, statements, labels }))).replace(/</g, '\\u003c');

export function html() {
  const sectors = Object.keys(PROGRAMS).map(sector).filter(Boolean);
  if (sectors.length === 0) return '';
  return `<boot-sector class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">All 512 bytes, and what each is for</p>
<fieldset hidden><legend>Chapter</legend>${sectors.map(choice).join(' ')}</fieldset>
${sectors.map(view).join('\n')}
<script type="application/json">${data(sectors)}</script>
</boot-sector>`;
}
