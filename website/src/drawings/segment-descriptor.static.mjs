// segment-descriptor.static.mjs -- our 32-bit code segment, before anybody flips a bit of it
import { descriptors } from './gdt.mjs';
import { hex, inWords } from './segment-descriptor.math.mjs';
import { bits, parts } from './segment-descriptor.view.mjs';

const SHOWN = 'code32';

const written = (value) => `0x${hex(value, 16)}`;

export function html() {
  const ours = descriptors();
  const { value } = ours.find(({ name }) => name === SHOWN);
  const examples = ours.map(
    ({ name, value }) => `<button type="button" data-value="${written(value)}">${name}</button>`);
  return `<segment-descriptor class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">A descriptor, bit by bit</p>
<form hidden>
  <label>Descriptor, in hex <input name="descriptor" value="${written(value)}" size="20"
    autocomplete="off" autocapitalize="none" spellcheck="false"></label>
  <div class="examples" role="group" aria-label="Ours">${examples.join(' ')}</div>
</form>
<output>${inWords(value)}</output>
<div class="view">${bits(value, false)}</div>
<div class="parts">${parts(value)}</div>
</segment-descriptor>`;
}
