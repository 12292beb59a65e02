// size.mjs -- numbers of bytes for people
const UNITS = [['MiB', 1 << 20], ['KiB', 1 << 10]];

/** A number with its thousands apart. */
export const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/** A size in the greatest unit of which it is a whole number. */
export function sizeText(bytes) {
  const [unit, size] = UNITS.find(([, size]) => bytes && bytes % size === 0) ?? ['bytes', 1];
  return `${grouped(bytes / size)} ${unit}`;
}
