// page-walk.static.mjs -- the page walk of one address, before anybody asks for another
import { layout } from './layout.mjs';
import { PAGES, hex, parseAddress } from './page-walk.math.mjs';
import { sentence, view } from './page-walk.view.mjs';

// Chapter 5's tables are known to the last entry. In chapter 7 the loader chooses their places.
const POSTS = {
  '05-long-mode': { address: '0xb8000', page: '2 MiB', base: () => BigInt(layout.PAGE_TABLES) },
  '07-elf-kernel': { address: '0xffffffff80000000', page: '4 KiB', base: () => undefined },
};
const EXAMPLES = [
  '0xb8000',
  '0x12345678',
  '0xffffffff80000000',
  '0xffff800000000000',
  '0x800000000000',
];

function controls(chosen) {
  const sizes = Object.keys(PAGES).map(
    (size) => `<label><input type="radio" name="page" value="${PAGES[size]}"${
      size === chosen.page ? ' checked' : ''}> ${size}</label>`);
  const examples = EXAMPLES.map((value) => `<button type="button">${value}</button>`);
  return `<form hidden>
  <label>Linear address, in hex <input name="address" value="${chosen.address}" size="20"
    autocomplete="off" autocapitalize="none" spellcheck="false"></label>
  <fieldset><legend>Page</legend>${sizes.join(' ')}</fieldset>
  <div class="examples" role="group" aria-label="Examples">${examples.join(' ')}</div>
</form>`;
}

export function html(page) {
  const chosen = POSTS[page];
  const address = parseAddress(chosen.address);
  const base = chosen.base();
  const depth = PAGES[chosen.page];
  const where = base === undefined ? '' : ` data-tables="${hex(base)}"`;
  return `<page-walk class="drawing not-content" data-pagefind-ignore${where}>
<p class="drawing-title">A page walk, by hand</p>
${controls(chosen)}
<output>${sentence(address, depth, base)}</output>
<div class="view">${view(address, depth, base)}</div>
</page-walk>`;
}
