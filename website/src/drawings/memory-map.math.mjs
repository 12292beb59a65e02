// memory-map.math.mjs -- who has which memory below 1 MiB, chapter by chapter
//
// Read from the drawings in the comment of common/x86/layout.inc: from the top down, lines that
// give an address and perhaps its name, and between two of them what lies there.
export const MIB = 1 << 20;
const EDGE = /^;\s+(0x[0-9a-f]+)\s+\+-+\+ ?(\w*)$/;
const INSIDE = /^;\s+\|\s*(.*?)\s*\|$/;
const SINCE = / \(chapter (\d+)\)/;
const DOWN = / from here$/; // from the line above, in the drawing
const GROWS = /, and from chapter (\d+) on (.*)/;

/** The numbers that the layout names. */
export function parseConstants(text) {
  const lines = text.matchAll(/^(\w+)\s+equ\s+(0x[0-9a-f]+|\d+)\b/gim);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

/** The drawings: the chapter from which each holds, and its regions from the top down. */
export function parseDrawings(text) {
  const drawings = [];
  let since = 1;
  let end;
  let lines = [];
  for (const line of text.split('\n')) {
    const edge = EDGE.exec(line);
    const inside = INSIDE.exec(line);
    if (edge) {
      const base = Number(edge[1]);
      if (end === undefined) drawings.push({ since, regions: [] });
      else drawings.at(-1).regions.push({ base, end, name: edge[2], what: lines.join(' ') });
      end = base;
      lines = [];
    } else if (inside && end !== undefined) {
      lines.push(inside[1]);
    } else {
      end = undefined;
      since = Number(/From chapter (\d+) on/.exec(line)?.[1] ?? since);
    }
  }
  return drawings;
}

const covers = (drawing, { base, end }) =>
  drawing.regions.some((region) => region.base < end && base < region.end);

/** A region as a chapter has it, or nothing if a later one takes it. */
function inChapter(region, chapter, sectorSize) {
  if (Number(SINCE.exec(region.what)?.[1] ?? 1) > chapter) return [];
  const grows = GROWS.exec(region.what);
  if (grows && Number(grows[1]) > chapter) {
    const what = region.what.replace(GROWS, '').replace(/^.*: /, '');
    return [{ ...region, end: region.base + sectorSize, what }];
  }
  const what = region.what.replace(SINCE, '').replace(GROWS, ' and $2').replace(DOWN, '');
  return [{ ...region, what }];
}

/** The regions of a chapter from 0 up, with what is free between them, and no gap. */
export function mapOf(drawings, chapter, { SECTOR_SIZE, SCRATCH, KERNEL_LIMIT }) {
  const valid = drawings.filter(({ since }) => since <= chapter);
  const taken = valid
    .flatMap(({ regions }, index) =>
      regions.filter((region) => !valid.slice(index + 1).some((later) => covers(later, region))))
    .flatMap((region) => inChapter(region, chapter, SECTOR_SIZE))
    .sort((a, b) => a.base - b.base);
  const map = [];
  let at = 0;
  for (const region of [...taken, { base: MIB }]) {
    if (region.base > at) map.push({ base: at, end: region.base, what: 'free', kind: 'free' });
    if (region.base === MIB) return map;
    const firmware = region.end <= SCRATCH || region.base >= KERNEL_LIMIT;
    map.push({ ...region, kind: firmware ? 'firmware' : 'ours' });
    at = region.end;
  }
  return map;
}

/** The regions of a map that the one before it has not. */
export function news(map, before) {
  const old = new Set(before.map(({ base, what }) => `${base} ${what}`));
  return map.filter(({ base, what, kind }) => kind === 'ours' && !old.has(`${base} ${what}`));
}
