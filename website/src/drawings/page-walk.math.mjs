// page-walk.math.mjs -- a linear address as the CPU's page walk cuts it
//
// Source: Intel SDM volume 3, "4-Level Paging and 5-Level Paging", "Canonical Addressing".
const ADDRESS_BITS = 48;
const INDEX_BITS = 9;
const ENTRY_SIZE = 8n;
const PRESENT = 1n << 0n;
const PAGE_SIZE = 1n << 7n; // PS: the entry maps a page, and no table follows
const ENTRY_ADDRESS = (1n << 52n) - (1n << 12n);

export const LEVELS = [
  { table: 'PML4', entry: 'PML4E', low: 39 },
  { table: 'PDPT', entry: 'PDPTE', low: 30 },
  { table: 'page directory', entry: 'PDE', low: 21 },
  { table: 'page table', entry: 'PTE', low: 12 },
];

/** How many tables a walk reads for a page of each size. */
export const PAGES = { '4 KiB': 4, '2 MiB': 3, '1 GiB': 2 };

export const hex = (value) => `0x${value.toString(16)}`;

const field = (value, high, low) => (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);

const binary = (value, high, low) =>
  field(value, high, low).toString(2).padStart(high - low + 1, '0');

/** The number that was typed, in hex: 0x is not needed, and _ and ' may group the digits. */
export function parseAddress(text) {
  const digits = text.trim().replace(/^0x/i, '').replace(/[_'` ]/g, '');
  return /^[0-9a-f]{1,16}$/i.test(digits) ? BigInt(`0x${digits}`) : undefined;
}

/** Whether bits 63 to 48 are all equal to bit 47. */
export function isCanonical(address) {
  const top = field(address, 63, ADDRESS_BITS - 1);
  return top === 0n || top === (1n << 17n) - 1n;
}

/** The parts of an address, from bit 63 down, for a page whose walk reads `depth` tables. */
export function cut(address, depth) {
  const part = (name, high, low) => ({
    name,
    high,
    low,
    bits: binary(address, high, low),
    value: field(address, high, low),
  });
  const indices = LEVELS.slice(0, depth).map(({ table, low }) =>
    part(table, low + INDEX_BITS - 1, low),
  );
  return {
    sign: part('sign extension', 63, ADDRESS_BITS),
    indices,
    offset: part('offset', LEVELS[depth - 1].low - 1, 0),
  };
}

/** Bytes from the beginning of a table to its entry. */
export const entryOffset = (index) => index * ENTRY_SIZE;

/** The entries that chapter 5 writes: three tables from `base` on, and 1 GiB in pages of 2 MiB. */
export function identityTables(base) {
  const next = [base + 0x1000n, base + 0x2000n];
  const table = PRESENT | (1n << 1n);
  return (level, index) => {
    if (level === 2) return (index << 21n) | table | PAGE_SIZE;
    return index === 0n ? next[level] | table : 0n;
  };
}

/**
 * The walk through tables of which `entryAt(level, index)` tells the entries, the first at
 * `base`: each entry read, and the physical address, or undefined where an entry is not present.
 */
export function walk(address, base, entryAt) {
  const steps = [];
  let table = base;
  for (const [level, { low }] of LEVELS.entries()) {
    const index = field(address, low + INDEX_BITS - 1, low);
    const entry = entryAt(level, index);
    steps.push({ index, at: table + entryOffset(index), entry });
    if (!(entry & PRESENT)) return { steps };
    table = entry & ENTRY_ADDRESS;
    if (entry & PAGE_SIZE || low === 12) {
      const offset = field(address, low - 1, 0);
      return { steps, physical: ((table >> BigInt(low)) << BigInt(low)) + offset };
    }
  }
  return { steps };
}
