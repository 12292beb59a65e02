// segment-descriptor.math.mjs -- a segment descriptor, taken apart
//
// Source: Intel SDM volume 3, "Segment Descriptors", "Code- and Data-Segment Descriptor
// Types", "System Descriptor Types"; names of fields as there.

export const BITS = 64;
const PAGE = 4096; // bytes, what a limit counts with G = 1

/** The fields: name, and where its pieces lie, the piece with the high bits first. */
export const FIELDS = [
  { name: 'Base', key: 'base', pieces: [[63, 56], [39, 32], [31, 16]] },
  { name: 'Limit', key: 'limit', pieces: [[51, 48], [15, 0]] },
  { name: 'G', key: 'g', pieces: [[55, 55]] },
  { name: 'D/B', key: 'db', pieces: [[54, 54]] },
  { name: 'L', key: 'l', pieces: [[53, 53]] },
  { name: 'AVL', key: 'avl', pieces: [[52, 52]] },
  { name: 'P', key: 'p', pieces: [[47, 47]] },
  { name: 'DPL', key: 'dpl', pieces: [[46, 45]] },
  { name: 'S', key: 's', pieces: [[44, 44]] },
  { name: 'Type', key: 'type', pieces: [[43, 40]] },
];

const SYSTEM_TYPES = [
  'reserved', '16-bit TSS, available', 'LDT', '16-bit TSS, busy',
  '16-bit call gate', 'task gate', '16-bit interrupt gate', '16-bit trap gate',
  'reserved', '32-bit TSS, available', 'reserved', '32-bit TSS, busy',
  '32-bit call gate', 'reserved', '32-bit interrupt gate', '32-bit trap gate',
];

export const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/** The number in `text`, up to 16 hex digits with or without 0x; null for anything else. */
export function parse(text) {
  const match = /^\s*(?:0x)?([0-9a-f]{1,16})\s*$/i.exec(text.replaceAll('_', ''));
  return match ? BigInt(`0x${match[1]}`) : null;
}

export const flip = (value, bit) => value ^ (1n << BigInt(bit));
export const bitOf = (value, bit) => Number((value >> BigInt(bit)) & 1n);

/** The eight bytes as they lie in memory, the lowest address first. */
export const bytes = (value) =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** The field that `bit` belongs to. */
export const fieldAt = (bit) =>
  FIELDS.find(({ pieces }) => pieces.some(([high, low]) => bit <= high && bit >= low));

/** What stands below `bit`: the manual's name of a flag or of a bit of the type, else nothing. */
export function nameOfBit(value, bit) {
  const { name, key } = fieldAt(bit);
  if (key === 'base' || key === 'limit') return '';
  if (key !== 'type' || !bitOf(value, 44)) return name;
  const code = bitOf(value, 43);
  return [['A', 'A'], ['W', 'R'], ['E', 'C'], ['code', 'code']][bit - 40][code];
}

const piece = (value, [high, low]) =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);

/** Each field's value by its key, base and limit put together from their pieces. */
export function decode(value) {
  const parts = {};
  for (const { key, pieces } of FIELDS) {
    parts[key] = Number(
      pieces.reduce((sum, [high, low]) =>
        (sum << BigInt(high - low + 1)) | piece(value, [high, low]), 0n));
  }
  return parts;
}

/** The highest offset that the limit stands for: it counts bytes, or pages of 4 KiB. */
export const lastOffset = ({ g, limit }) => (g ? (limit + 1) * PAGE - 1 : limit);

const isCode = ({ s, type }) => Boolean(s && type & 8);
const isGate = ({ s, type }) => !s && [4, 5, 6, 7, 12, 14, 15].includes(type);

/** The type by the manual's name. */
function typeInWords({ s, type }) {
  if (!s) return SYSTEM_TYPES[type];
  const accessed = type & 1 ? ', accessed' : '';
  if (type & 8) {
    const conforming = type & 4 ? ', conforming' : '';
    return `code, ${type & 2 ? 'Execute/Read' : 'Execute-Only'}${conforming}${accessed}`;
  }
  const down = type & 4 ? ', expand-down' : '';
  return `data, ${type & 2 ? 'Read/Write' : 'Read-Only'}${down}${accessed}`;
}

function limitInWords(parts) {
  const last = lastOffset(parts);
  const expandsDown = parts.s && (parts.type & 12) === 4;
  if (!expandsDown) return `offsets up to 0x${hex(last, 8)}`;
  const top = parts.db ? 0xffffffff : 0xffff;
  if (last >= top) return 'no offset at all';
  return `offsets from 0x${hex(last + 1, 8)} to 0x${hex(top, 8)}`;
}

function sizeInWords(parts) {
  if (!parts.s) return 'says nothing here';
  if (isCode(parts) && parts.l) return `${parts.db ? 'reserved' : 'must be 0'} beside L = 1`;
  if (isCode(parts)) return parts.db ? '32-bit code' : '16-bit code';
  return parts.db ? 'a stack here uses esp' : 'a stack here uses sp';
}

function longInWords(parts) {
  if (isCode(parts)) return parts.l ? '64-bit code, in long mode' : 'not 64-bit code';
  return parts.l ? 'reserved: only code may be 64-bit' : 'must be 0';
}

const DIGITS = { base: 8, limit: 5, type: 1 }; // of what is written in hex

/** Each field as { name, key, bits, value, words }, in the order of FIELDS. */
export function fields(value) {
  const parts = decode(value);
  const words = {
    base: parts.l && isCode(parts) ? 'not used by 64-bit code' : 'linear address of offset 0',
    limit: parts.l && isCode(parts) ? 'not used by 64-bit code' : limitInWords(parts),
    g: parts.g ? 'the limit counts 4 KiB' : 'the limit counts bytes',
    db: sizeInWords(parts),
    l: longInWords(parts),
    avl: 'free for us',
    p: parts.p ? 'present' : 'not present: loading it raises an exception',
    dpl: ['privilege 0, the kernel’s', 'privilege 1', 'privilege 2', 'privilege 3, a program’s'][
      parts.dpl],
    s: parts.s ? 'code or data' : 'one of the system’s own',
    type: typeInWords(parts),
  };
  return FIELDS.map(({ name, key, pieces }) => ({
    name,
    key,
    bits: pieces.map(([high, low]) => (high === low ? `${high}` : `${high}:${low}`)).join(', '),
    value: key in DIGITS ? `0x${hex(parts[key], DIGITS[key])}` : `${parts[key]}`,
    words: words[key],
  }));
}

/** The pieces of the base, high bits first, as they stand in the descriptor. */
export const basePieces = (value) =>
  FIELDS[0].pieces.map(([high, low]) => hex(piece(value, [high, low]), (high - low + 1) / 4));

/** The descriptor in a sentence. */
export function inWords(value) {
  if (value === 0n) return 'The null descriptor: the first of every table, for no segment.';
  const parts = decode(value);
  if (!parts.p) return 'The segment is not present: loading it raises an exception.';
  if (isGate(parts)) return `A gate (${typeInWords(parts)}): its other bits have other names.`;
  if (!parts.s) return `A system segment: ${typeInWords(parts)}.`;
  if (isCode(parts) && parts.l && parts.db) {
    return 'Reserved: L and D together. In long mode, loading it raises an exception.';
  }
  const width = isCode(parts) ? `${parts.l ? 64 : parts.db ? 32 : 16}-bit ` : '';
  const where = isCode(parts) && parts.l
    ? 'base and limit are not used'
    : `base 0x${hex(parts.base, 8)}, ${limitInWords(parts)}`;
  return `Present; ${width}${typeInWords(parts)}; privilege ${parts.dpl}; ${where}.`;
}

/** The descriptor as chapter 4 writes one for NASM, field by field. */
export function nasm(value) {
  const [a, b, c, d, ...rest] = bytes(value).map((byte) => hex(byte, 2));
  const [middle, access, flags, high] = rest.map((byte) => `db 0x${byte}  `);
  return [
    `dw 0x${b}${a}   ; limit, bits 0 to 15`,
    `dw 0x${d}${c}   ; base, bits 0 to 15`,
    `${middle}   ; base, bits 16 to 23`,
    `${access}   ; access`,
    `${flags}   ; flags; limit, bits 16 to 19`,
    `${high}   ; base, bits 24 to 31`,
  ].join('\n');
}
