// disk-layout.static.mjs -- the disk images of all chapters that are built
import { chapters, numberOf } from '../../site.mjs';
import { closest, windowAt } from './disk-layout.math.mjs';
import { SECTOR, diskOf } from './disk-layout.read.mjs';
import { rulers, sentence } from './disk-layout.view.mjs';
import { grouped, sizeText } from './size.mjs';

const CLOSE_UP = 64; // sectors, or a few more, that the first view shows
const KINDS = [
  [/^(zeros|free)/, 'free'],
  [/^EFI System Partition/i, 'theirs'],
  [/stage|boot sector|disk code|kernel|^BIOS boot/, 'ours'],
];

function named([first, last, text, more]) {
  const what = text.trim();
  const kind = KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? 'firmware';
  return { first, last, what, more, kind, inside: text !== what };
}

function row({ first, last, what, more, kind, inside }, index) {
  const list = more.length ? `<ul>${more.map((line) => `<li>${line}</li>`).join('')}</ul>` : '';
  const lba = first === last ? first : `${first} to ${last}`;
  return `<tr data-region="${index}" data-first="${first}" data-last="${last}"
data-kind="${kind}"${inside ? ' data-inside' : ''}><th scope="row">${lba}</th>
<td>${sizeText((last - first + 1) * SECTOR)}</td>
<td><span class="key ${kind}"></span><span class="what">${what}</span>${list}</td></tr>`;
}

function table({ number, rows, sectors }, shown) {
  const zoom = Math.max(Math.floor(Math.log2(sectors / CLOSE_UP)), 0);
  const drawn = number === shown ? rulers(rows, sectors, windowAt(0, zoom, sectors), 0) : '';
  return `<div class="chapter" data-chapter="${number}" data-sectors="${sectors}"
data-closest="${closest(sectors)}" data-zoom="${zoom}"${number === shown ? '' : ' hidden'}>
<div class="rulers">${drawn}</div>
<table><caption>${grouped(sectors)} sectors, ${sizeText(sectors * SECTOR)}</caption>
<thead><tr><th scope="col">LBA</th><th scope="col">size</th><th scope="col">what</th></tr></thead>
<tbody>${rows.map(row).join('')}</tbody></table>
</div>`;
}

function controls(disks, shown) {
  const radios = disks.map(({ number }) => `<label><input type="radio" name="chapter"
value="${number}"${number === shown ? ' checked' : ''}> ${number}</label>`);
  return `<form hidden><fieldset><legend>Chapter</legend>${radios.join(' ')}</fieldset>
<label>LBA <input name="lba" value="0" size="8" autocomplete="off" inputmode="numeric"></label>
<label>or byte <input name="byte" value="0x0" size="10" autocomplete="off"
spellcheck="false"></label>
<label>Zoom <input type="range" name="zoom" min="0" step="1"></label>
</form>`;
}

export function html(page) {
  const shown = numberOf(page);
  const disks = chapters
    .map((chapter) => ({ number: numberOf(chapter), ...diskOf(chapter) }))
    .filter(({ rows }) => rows)
    .map((disk) => ({ ...disk, rows: disk.rows.map(named) }));
  const own = disks.find(({ number }) => number === shown);
  if (!own) return '';
  return `<disk-layout class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">What is where on the disk, chapter by chapter</p>
${controls(disks, shown)}
<output>${sentence(own.rows, 0)}</output>
${disks.map((disk) => table(disk, shown)).join('\n')}
<p class="drawing-note">Both rulers are to scale: the whole disk, and the part of it that is framed.
Sizes and places are those of the images that this site was built with.</p>
</disk-layout>`;
}
