// boot-sector.math.mjs -- what each byte of a boot sector is, by NASM's listing and its map

export const SECTOR_SIZE = 512;
const SIGNATURE_SIZE = 2; // at the end

/** The symbols in a map file: { name: value }, constants and addresses alike. */
export function symbols(map) {
  const lines = map.matchAll(/^ *(?:[0-9A-F]+ +)?([0-9A-F]+) {2}([A-Za-z_][\w.]*)$/gm);
  return Object.fromEntries([...lines].map(([, value, name]) => [name, parseInt(value, 16)]));
}

// Columns of a listing: offset, bytes, depth of %include, source.
const OFFSET = [7, 15];
const BYTES = [16, 36];
const SOURCE = 40;

/** The statements of a listing that make bytes of the sector: { from, text }, in order. */
export function statements(listing) {
  return listing
    .split('\n')
    .map((line) => ({
      offset: line.slice(...OFFSET),
      reserved: /\?|<res/.test(line.slice(...BYTES)), // of a struc, or of memory: not in the file
      text: line.slice(SOURCE).trim().replace(/\s+/g, ' '),
    }))
    .filter(({ offset, reserved, text }) => /^[0-9A-F]{8}$/.test(offset) && !reserved && text)
    .map(({ offset, text }) => ({ from: parseInt(offset, 16), text }))
    .filter(({ from }) => from < SECTOR_SIZE);
}

const isData = ({ text }) => /^(\w+: )?(times .*)?d[bwdq]\b/.test(text);

/** The code in pieces: what is executed, and what is text for the screen. */
function codeAreas(all, from, to) {
  const areas = [];
  for (const statement of all.filter((each) => each.from >= from && each.from < to)) {
    const kind = isData(statement) ? 'message' : 'code';
    if (areas.at(-1)?.kind !== kind) areas.push({ kind, from: statement.from });
  }
  return areas;
}

/** The areas of the sector in order: { kind, from, to }, `to` behind the last byte. */
export function areas(all, names) {
  const at = (name) => names[name] - names.BOOT_SECTOR;
  const starts = [
    { kind: 'jump', from: 0 },
    { kind: 'bpb', from: at('bpb') },
    ...codeAreas(all, at('entry'), at('boot_code_end')),
    { kind: 'free', from: at('boot_code_end') },
    { kind: 'windows', from: names.BOOT_CODE_SIZE },
    { kind: 'table', from: at('partition_table') },
    { kind: 'signature', from: SECTOR_SIZE - SIGNATURE_SIZE },
  ];
  return starts
    .map((area, i) => ({ ...area, to: starts[i + 1]?.from ?? SECTOR_SIZE }))
    .filter(({ from, to }) => to > from);
}

/** The member of a list of { from } in which byte `offset` lies. */
export const around = (list, offset) => list.findLast(({ from }) => from <= offset);
