// segment-offset.view.mjs -- a segment and an offset as HTML: the same from the build and in
// the browser
import {
  END, MEBIBYTE, WINDOW, hex, inWords, linear, pair, someNames, withoutA20,
} from './segment-offset.math.mjs';

const DIGITS = 6; // of the greatest sum
const NAMES_SHOWN = 6;

const row = (digits, what, mark = '') => `
<div class="sum-row${mark}">${[...digits.padStart(DIGITS, ' ')]
  .map((digit) => `<b>${digit}</b>`)
  .join('')}<span>${what}</span></div>`;

/** The addition as one does it on paper: the segment stands one digit further left. */
function sum(segment, offset) {
  return `<div class="sum" aria-hidden="true">${[
    row(`${hex(segment, 4)}_`, 'segment * 16'),
    row(`+${hex(offset, 4).padStart(DIGITS - 1, ' ')}`, 'offset'),
    row(hex(linear(segment, offset), 5), 'linear', ' sum-result'),
  ].join('')}</div>`;
}

const percent = (address) => `${((100 * address) / END).toFixed(2)}%`;

/** All that real mode reaches, to scale: the segment's window, and the byte in it. */
function strip(segment, offset) {
  const address = linear(segment, offset);
  const wrapped = withoutA20(address);
  const ring = `<i class="strip-ghost" style="left:${percent(wrapped)}"></i>`;
  return `<div class="strip" aria-hidden="true">
  <i class="strip-window" style="left:${percent(linear(segment, 0))};width:${percent(WINDOW)}"></i>
  <i class="strip-end" style="left:${percent(MEBIBYTE)}"></i>${
    wrapped === address ? '' : ring}
  <i class="strip-byte" style="left:${percent(address)}"></i>
</div>
<div class="strip-scale" aria-hidden="true"><span>0</span>
  <span>the segment’s 64 KiB, and the byte</span>
  <span style="left:${percent(MEBIBYTE)}">1 MiB</span></div>`;
}

/** Pairs that mean the same byte, each in an element of the kind `tag`. */
function others(segment, offset, tag) {
  const attributes = tag === 'button' ? ' type="button"' : '';
  const current = pair({ segment, offset });
  const list = someNames(linear(segment, offset), NAMES_SHOWN).map((name) => {
    const here = pair(name) === current ? ' aria-current="true"' : '';
    return `<${tag}${attributes}${here}>${pair(name)}</${tag}>`;
  });
  return `<div class="examples" role="group" aria-label="Pairs for this address">
  <span>The same byte:</span> ${list.join(' ')}</div>`;
}

/** What the pair is, in a sentence or three. */
export function sentence(segment, offset) {
  const address = linear(segment, offset);
  if (address < MEBIBYTE) return inWords(segment, offset);
  return `${inWords(segment, offset)} It lies above 1 MiB, beyond the 20 address lines of the
    8086. While the A20 gate is shut, the CPU reaches linear 0x${hex(withoutA20(address), 5)}
    instead: the ring in the drawing.`;
}

/** All below the sentence. */
export const view = (segment, offset, tag) =>
  sum(segment, offset) + strip(segment, offset) + others(segment, offset, tag);
