// segment-offset.math.mjs -- real-mode addresses: a segment and an offset make a linear address
//
// Source: Intel SDM volume 3, "Real-Address Mode".

const PARAGRAPH = 16; // what one step of a segment means, in bytes
const LAST = 0xffff; // the highest segment, and the highest offset
export const WINDOW = LAST + 1; // bytes that one segment reaches
export const MEBIBYTE = 1 << 20;
export const END = LAST * PARAGRAPH + WINDOW; // behind the last byte that any pair reaches

export const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/** The number in `text`, one to four hex digits with or without 0x; null for anything else. */
export function parse(text) {
  const match = /^\s*(?:0x)?([0-9a-f]{1,4})\s*$/i.exec(text);
  return match ? parseInt(match[1], 16) : null;
}

/** Where the pair lies, from 0 to 0x10ffef. */
export const linear = (segment, offset) => segment * PARAGRAPH + offset;

/** The same address with address line 20 held at 0, as behind a closed A20 gate. */
export const withoutA20 = (address) => address & ~MEBIBYTE;

/** The pair in hex digits, as it is written. */
export const pair = ({ segment, offset }) => `${hex(segment, 4)}:${hex(offset, 4)}`;

/** How many pairs make `address`, and the lowest and the highest segment among them. */
export function names(address) {
  const highest = Math.min(LAST, Math.floor(address / PARAGRAPH));
  const lowest = Math.max(0, Math.ceil((address - LAST) / PARAGRAPH));
  return { count: highest - lowest + 1, lowest, highest };
}

/** At most `limit` (2 or more) of these pairs, evenly spaced, the lowest segment first. */
export function someNames(address, limit) {
  const { count, lowest } = names(address);
  const shown = Math.min(count, limit);
  return Array.from({ length: shown }, (_, i) => {
    const segment = lowest + (shown > 1 ? Math.round((i * (count - 1)) / (shown - 1)) : 0);
    return { segment, offset: address - segment * PARAGRAPH };
  });
}

/** What the pair is, in a sentence. */
export function inWords(segment, offset) {
  const address = linear(segment, offset);
  const { count } = names(address);
  const sum = `0x${hex(segment, 4)} * 16 + 0x${hex(offset, 4)} is linear 0x${hex(address, 5)}`;
  if (count === 1) return `${sum}. No other pair means it.`;
  return `${sum}. ${count.toLocaleString('en')} pairs mean it.`;
}
