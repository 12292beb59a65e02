// memory-map.static.mjs -- the first MiB in each chapter that a BIOS starts, up to this one
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chapters, numberOf, root } from '../../site.mjs';
import { SECTOR, diskOf } from './disk-layout.read.mjs';
import { layout, layoutSource } from './layout.mjs';
import { MIB, mapOf, news, parseDrawings } from './memory-map.math.mjs';
import { sizeText } from './size.mjs';

const drawings = parseDrawings(layoutSource);
const CLOSE_UP = 1 << 16; // what the second bar shows: the lowest 64 KiB
const HEIGHT = 420;

const address = (number) => `0x${number.toString(16).padStart(5, '0')}`;

function hasBios(chapter) {
  const recipe = readFileSync(path.join(root, 'chapters', chapter, 'chapter.mk'), 'utf8');
  return !/^firmwares\s*:=\s*uefi$/m.test(recipe);
}

/** How many bytes of a region the image fills, where it tells. */
function loaded({ name, base, end }, disk) {
  const sectors = (what) => {
    const row = disk?.rows.find((row) => row[2].trim().startsWith(what));
    return row ? row[1] - row[0] + 1 : 0;
  };
  if (name === 'KERNEL_BASE') return sectors('kernel') * SECTOR;
  const behind = layout.SECOND_STAGE + sectors('second stage') * SECTOR - base;
  const isStage = name === 'SECOND_STAGE' || name === 'LOADER_BASE';
  return isStage ? Math.min(Math.max(behind, 0), end - base) : 0;
}

/** The maps up to that of chapter `last`: the reader has not seen what comes later. */
function maps(last) {
  let before;
  const seen = chapters.filter((chapter) => numberOf(chapter) <= last && hasBios(chapter));
  return seen.map((chapter) => {
    const disk = diskOf(chapter);
    const map = mapOf(drawings, numberOf(chapter), layout).map((region) => ({
      ...region,
      loaded: loaded(region, disk),
    }));
    const fresh = before ? news(map, before) : [];
    before = map;
    return { number: numberOf(chapter), map, fresh };
  });
}

/** A bar of memory to scale, from address 0 at the bottom to `top`. */
function bar(map, top, x, width) {
  const y = (at) => HEIGHT - (Math.min(at, top) * HEIGHT) / top;
  return map
    .map((region, index) => ({ ...region, index }))
    .filter(({ base }) => base < top)
    .map(({ base, end, kind, index }) => {
      const height = (y(base) - y(end)).toFixed(1);
      return `<rect class="${kind}" data-region="${index}" x="${x}" y="${y(end).toFixed(1)}"
width="${width}" height="${height}"/>`;
    })
    .join('');
}

function bars(map) {
  const corner = HEIGHT - (HEIGHT * CLOSE_UP) / MIB;
  return `<svg viewBox="0 -22 156 444" width="156" height="444" aria-hidden="true">
<text x="28" y="-8">1 MiB</text><text x="128" y="-8">64 KiB</text>
<path class="lens" d="M56 ${corner}L100 0V${HEIGHT}H56z"/>
${bar(map, MIB, 1, 55)}${bar(map, CLOSE_UP, 100, 55)}
</svg>`;
}

function row({ base, end, what, kind, loaded }, index, isNew) {
  const part = loaded === end - base ? 'all' : sizeText(loaded);
  const used = loaded ? `; ${part} of it from the image` : '';
  return `<tr data-region="${index}"><th scope="row"><code>${address(base)}</code></th>
<td>${sizeText(end - base)}</td><td><span class="key ${kind}"></span>${what}${used}${
    isNew ? ' <strong>new</strong>' : ''}</td></tr>`;
}

function sentence({ number, fresh }) {
  if (number === 1) return 'Chapter 1: the boot sector and its stack.';
  if (!fresh.length) return `Chapter ${number}: no change.`;
  const names = fresh.map(({ what, base }) => `${what}, at ${address(base)}`);
  return `Chapter ${number}. New: ${names.join('; ')}.`;
}

function table({ number, map, fresh }, shown) {
  const bases = new Set(fresh.map(({ base }) => base));
  const rows = map.map((region, index) => row(region, index, bases.has(region.base))).reverse();
  return `<div class="chapter" data-chapter="${number}"${number === shown ? '' : ' hidden'}
  data-sentence="${sentence({ number, fresh })}">
${bars(map)}
<table>
<thead><tr><th scope="col">from</th><th scope="col">size</th><th scope="col">what</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
</div>`;
}

export function html(page) {
  const shown = numberOf(page);
  const all = maps(shown);
  const radios = all.map(({ number }) => `<label><input type="radio" name="chapter"
    value="${number}"${number === shown ? ' checked' : ''}> ${number}</label>`);
  const choice = `<fieldset hidden><legend>Chapter</legend>${radios.join(' ')}</fieldset>\n`;
  return `<memory-map class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">The first MiB, chapter by chapter</p>
${all.length > 1 ? choice : ''}<output>${sentence(all.find(({ number }) => number === shown))}</output>
${all.map((chapter) => table(chapter, shown)).join('\n')}
<p class="drawing-note">Both bars are to scale. Under UEFI the firmware says who has which memory.</p>
</memory-map>`;
}
