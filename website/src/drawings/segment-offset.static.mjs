// segment-offset.static.mjs -- the pair that chapter 1 speaks of, before anybody asks for another
import { hex } from './segment-offset.math.mjs';
import { sentence, view } from './segment-offset.view.mjs';

const SEGMENT = 0x07c0;
const OFFSET = 0x0013;
const EXAMPLES = ['07c0:0013', '0000:7c13', 'b800:0000', 'ffff:000f', 'ffff:0010'];

const field = (label, name, value) => `<label>${label} <input name="${name}" size="6"
    value="${hex(value, 4)}" autocomplete="off" autocapitalize="none" spellcheck="false"></label>`;

export function html() {
  const examples = EXAMPLES.map((name) => `<button type="button">${name}</button>`);
  return `<segment-offset class="drawing not-content" data-pagefind-ignore>
<p class="drawing-title">Any segment, any offset</p>
<form hidden>
  ${field('Segment, in hex', 'segment', SEGMENT)}
  ${field('Offset', 'offset', OFFSET)}
  <div class="examples" role="group" aria-label="Examples">${examples.join(' ')}</div>
</form>
<output>${sentence(SEGMENT, OFFSET)}</output>
<div class="view">${view(SEGMENT, OFFSET, 'code')}</div>
</segment-offset>`;
}
