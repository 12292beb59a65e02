// segment-descriptor.view.mjs -- a descriptor as HTML: the same from the build and in the browser
import {
  basePieces, bitOf, bytes, fieldAt, fields, hex, nameOfBit, nasm,
} from './segment-descriptor.math.mjs';

// What each byte holds, the lowest address first.
const HOLDS = [
  'limit 7:0', 'limit 15:8', 'base 7:0', 'base 15:8', 'base 23:16', 'access',
  'flags, limit 19:16', 'base 31:24',
];

const GROUPS = { base: 'base', limit: 'limit', g: 'flags', db: 'flags', l: 'flags', avl: 'flags' };
const groupOf = (key) => GROUPS[key] ?? 'access';

function bit(value, number, answers) {
  const field = fieldAt(number);
  const name = nameOfBit(value, number);
  const state = bitOf(value, number);
  const inside = `<b>${state}</b> <small>${name}</small>`;
  const kind = `class="bit ${groupOf(field.key)}"`;
  if (!answers) return `<span ${kind}>${inside}</span>`;
  const heard = `bit ${number}${name === field.name ? '' : `, ${field.name}`}`;
  return `<button type="button" ${kind} data-bit="${number}" aria-pressed="${state === 1}"
    tabindex="-1">${inside} <span class="sr-only">${heard}</span></button>`;
}

function byte(value, number, answers) {
  const numbers = Array.from({ length: 8 }, (_, i) => 8 * number + 7 - i);
  const attributes = answers ? ` role="group" aria-label="byte ${number}: ${HOLDS[number]}"` : '';
  return `<div class="byte"${attributes}>
  <div class="byte-name"><span>byte ${number} <code>${hex(bytes(value)[number], 2)}</code></span>
    <span>${HOLDS[number]}</span></div>
  <div class="bits">${numbers.map((each) => bit(value, each, answers)).join('')}</div></div>`;
}

/** The 64 bits, byte 7 first; buttons if the drawing `answers`, else a picture. */
export function bits(value, answers) {
  const numbers = [7, 6, 5, 4, 3, 2, 1, 0];
  const attributes = answers
    ? ' role="group" aria-label="The 64 bits: arrow keys move, space flips"'
    : ' aria-hidden="true"';
  return `<div class="bytes"${attributes}>${numbers
    .map((number) => byte(value, number, answers))
    .join('')}</div>`;
}

/** Each field by name, and the descriptor for NASM. */
export function parts(value) {
  const pieces = `<br><small>${basePieces(value).join(' + ')}</small>`;
  const rows = fields(value).map(
    ({ name, key, bits, value: number, words }) => `<tr>
  <th scope="row"><i class="key ${groupOf(key)}"></i>${name}</th><td>${bits}</td>
  <td><code>${number}</code>${key === 'base' ? pieces : ''}</td><td>${words}</td></tr>`);
  return `<table><thead><tr><th scope="col">field</th><th scope="col">bits</th>
<th scope="col">value</th><th scope="col">in words</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
<pre><code>${nasm(value)}</code></pre>`;
}
