// page-walk.view.mjs -- a page walk as HTML: the same from the build and in the browser
import {
  LEVELS,
  PAGES,
  cut,
  entryOffset,
  hex,
  identityTables,
  isCanonical,
  walk,
} from './page-walk.math.mjs';

// Chapter 5 maps pages of 2 MiB. For pages of another size its tables have no answer.
const tablesFor = (depth, base) => (depth === PAGES['2 MiB'] ? base : undefined);

const bitsOf = ({ high, low }) => `${high}&nbsp;to&nbsp;${low}`;

const box = (part, what) => `<div class="field field-${what}">
<span class="field-name">${part.name}</span>
<span class="field-range"><span>${part.high}</span><span>${part.low}</span></span>
<code>${part.bits}</code>
<span class="field-value">${what === 'index' ? part.value : hex(part.value)}</span>
</div>`;

const row = (cells) => `<tr><th scope="row">${cells[0]}</th>${cells
  .slice(1)
  .map((cell) => `<td>${cell}</td>`)
  .join('')}</tr>`;

/** What the address is, in a sentence or two. */
export function sentence(address, depth, base) {
  const bit = (address >> 47n) & 1n;
  if (!isCanonical(address)) {
    return `${hex(address)} is not canonical: bits 63 to 48 are not all equal to bit 47, which
      is ${bit}. The CPU raises a general-protection fault and looks at no table.`;
  }
  const canonical = `${hex(address)} is canonical: bits 63 to 48 equal bit 47, which is ${bit}.`;
  const tables = tablesFor(depth, base);
  if (tables === undefined) return canonical;
  const { steps, physical } = walk(address, tables, identityTables(tables));
  if (physical !== undefined) return `${canonical} Physical address: ${hex(physical)}.`;
  const { index } = steps.at(-1);
  return `${canonical} Entry ${index} of the ${LEVELS[steps.length - 1].table} is not present: a
    page fault.`;
}

/** The bits in their groups. */
function strip({ sign, indices, offset }) {
  return `<div class="fields">${[
    box(sign, 'sign'),
    ...indices.map((part) => box(part, 'index')),
    box(offset, 'offset'),
  ].join('')}</div>`;
}

/** The entries that the CPU reads: where they are, and with chapter 5's tables what they hold. */
function entries(parts, address, base) {
  const read = base === undefined ? undefined : walk(address, base, identityTables(base)).steps;
  const lines = parts.indices.map((part, level) => {
    const { entry } = LEVELS[level];
    const from = level === 0 ? 'CR3' : LEVELS[level - 1].entry;
    const step = read?.[level];
    const place = read
      ? step ? hex(step.at) : 'not reached'
      : `address in ${from} + ${hex(entryOffset(part.value))}`;
    const cells = [entry, bitsOf(part), String(part.value), place];
    return row(read ? [...cells, step ? hex(step.entry) : ''] : cells);
  });
  const head = ['entry', 'bits', 'index', 'lies at', ...(read ? ['holds'] : [])];
  return `<div class="scroll"><table><thead><tr>${head
    .map((name) => `<th scope="col">${name}</th>`)
    .join('')}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}

/** The rule by which the last entry and the offset become a physical address. */
function rule({ indices, offset }) {
  const { entry, low } = LEVELS[indices.length - 1];
  const ends = low === 12 ? '' : ', in which bit 7 (PS) ends the walk,';
  return `<p>An entry lies at index × 8 in its table. Physical address: bits 51 to ${low} of the
    ${entry}${ends} with the offset, ${hex(offset.value)}, in the bits below.</p>`;
}

/** All below the sentence. */
export function view(address, depth, base) {
  const parts = cut(address, depth);
  if (!isCanonical(address)) return strip(parts);
  const tables = tablesFor(depth, base);
  const faults = tables && walk(address, tables, identityTables(tables)).physical === undefined;
  return strip(parts) + entries(parts, address, tables) + (faults ? '' : rule(parts));
}
