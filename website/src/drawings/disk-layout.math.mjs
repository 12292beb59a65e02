// disk-layout.math.mjs -- sectors of a disk: what one belongs to, and which ones are shown
//
// A row is { first, last, what }: sectors by LBA, both inclusive. A row inside of another comes
// behind it.
export const SECTOR_SIZE = 512;
const FEWEST = 16; // sectors that the closest view shows

/** How often the view of a whole disk can be halved. */
export const closest = (sectors) => Math.floor(Math.log2(sectors / FEWEST));

/** The sectors around `lba` that are shown when the view of the disk is halved `zoom` times. */
export function windowAt(lba, zoom, sectors) {
  const count = Math.ceil(sectors / 2 ** zoom);
  const first = Math.min(Math.max(lba - Math.floor(count / 2), 0), sectors - count);
  return { first, count };
}

/** The rows that a sector belongs to, the widest first. */
export const rowsAt = (rows, lba) => rows.filter(({ first, last }) => first <= lba && lba <= last);

/** The number that was typed, decimal or in hex with 0x, if the disk has that many and one more. */
export function parseNumber(text, limit) {
  const digits = text.trim().replace(/[_,]/g, '');
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(digits) ? Number(digits) : limit;
  return number < limit ? number : undefined;
}
