// disk-layout.view.mjs -- a disk as rulers: the same from the build and in the browser
import { SECTOR_SIZE, rowsAt } from './disk-layout.math.mjs';
import { grouped } from './size.mjs';

const WIDTH = 1000; // of a ruler, in units of its own
const HEIGHT = 40;
const INSET = 8; // of a row inside of another

const hex = (number) => `0x${number.toString(16)}`;

/** The sectors of a window, to scale; `marks` are drawn over them. */
function ruler(rows, { first, count }, marks = '') {
  const x = (lba) => (((lba - first) * WIDTH) / count).toFixed(2);
  const rects = rows
    .map((row, index) => ({ ...row, index }))
    .filter((row) => row.first < first + count && row.last >= first)
    .map((row) => {
      const from = Math.max(row.first, first);
      const behind = Math.min(row.last + 1, first + count);
      const inset = row.inside ? INSET : 0;
      return `<rect class="${row.kind}" data-region="${row.index}" data-lba="${from}"
x="${x(from)}" y="${inset}" width="${(((behind - from) * WIDTH) / count).toFixed(2)}"
height="${HEIGHT - 2 * inset}"/>`;
    });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${
    rects.join('')}${marks}</svg>
<p class="ends" aria-hidden="true"><span>${first}</span><span>${first + count - 1}</span></p>`;
}

/** The whole disk with the window in it, and the window with the sector in it. */
export function rulers(rows, sectors, window, lba) {
  const scale = WIDTH / sectors;
  const frame = `<rect class="window" x="${window.first * scale}" y="0"
width="${Math.max(window.count * scale, 2)}" height="${HEIGHT}"/>`;
  const step = WIDTH / window.count;
  const mark = `<rect class="mark" x="${(lba - window.first) * step}" y="0" width="${step}"
height="${HEIGHT}"/>`;
  return `${ruler(rows, { first: 0, count: sectors }, frame)}
${ruler(rows, window, mark)}`;
}

/** Where a sector is, and what it belongs to. */
export function sentence(rows, lba) {
  const byte = lba * SECTOR_SIZE;
  const last = byte + SECTOR_SIZE - 1;
  const names = rowsAt(rows, lba).map(({ what, first, last }) =>
    first === last ? what : `${what} (LBA ${first} to ${last})`);
  return `LBA ${lba}, bytes ${grouped(byte)} to ${grouped(last)} (${hex(byte)} to ${hex(last)}):
    ${names.join('; in it, ') || 'free'}.`;
}
