// boot-sector.view.mjs -- a boot sector as HTML: the same from the build and in the browser
import { escaped } from '../../tools/escaped.mjs';
import { SECTOR_SIZE, around } from './boot-sector.math.mjs';

export const KINDS = {
  jump: 'jump over the next area',
  bpb: 'area of the BIOS parameter block',
  code: 'code',
  message: 'text',
  free: 'free',
  windows: 'disk signature, for Windows',
  table: 'partition table',
  signature: '0x55 0xaa: this sector boots',
};

const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/** All bytes, 32 in a row, each area in its colour. */
export function map({ bytes, areas }) {
  const cells = areas.map(({ kind, from, to }) => `<span class="area area-${kind}">${bytes
    .slice(from, to)
    .map((byte) => `<i>${hex(byte, 2)}</i>`)
    .join('')}</span>`);
  return `<div class="sector" aria-hidden="true">${cells.join('')}</div>`;
}

/** The areas by name, from where to where, and how many bytes. */
export function table({ areas }) {
  const rows = areas.map(
    ({ kind, from, to }) => `<tr><th scope="row"><i class="key area-${kind}"></i>${KINDS[kind]}</th>
<td>${from} to ${to - 1}</td><td>${to - from}</td></tr>`);
  return `<table><thead><tr><th scope="col">what</th><th scope="col">from, to</th>
<th scope="col">bytes</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** The range of the statement that made byte `offset`. */
export function statementAt({ statements, areas }, offset) {
  const { from } = around(statements, offset);
  const next = statements.find((each) => each.from > offset)?.from ?? SECTOR_SIZE;
  return { from, to: Math.min(next, around(areas, offset).to) };
}

/** What byte `offset` is. */
export function words({ bytes, areas }, offset) {
  const { kind } = around(areas, offset);
  const value = bytes[offset];
  const letter = kind === 'message' && value >= 0x20 ? ` “${String.fromCharCode(value)}”` : '';
  return `Byte ${offset} (0x${hex(offset, 3)}): 0x${hex(value, 2)}${letter}, ${KINDS[kind]}`;
}

/** The line of the source that made byte `offset`, and below which label it stands. */
export function source({ statements, labels, areas }, offset) {
  if (around(areas, offset).kind === 'free') return { line: 'zeros, for what comes later' };
  return { line: around(statements, offset).text, label: around(labels, offset)?.name };
}

/** Both as HTML. */
export function sentence(sector, offset) {
  const { line, label } = source(sector, offset);
  const place = label ? ` below <code>${label}</code>` : '';
  return `${words(sector, offset)}${place}.<br><code>${escaped(line)}</code>`;
}
