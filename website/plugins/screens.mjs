// screens.mjs -- a picture of a screen in a post becomes the screen's text
//
// On a Git host the post shows the picture. Here it is text in VGA's colours, which can be
// selected and enlarged, if docs/screens has it beside the picture: tests/machine/runs.py says
// how its runs are written. A run becomes a span with the classes pN for the background (the
// paper) and iN for the foreground (the ink), N being VGA's number of the colour.
//
// A remark step, before the one that collects pictures.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { h } from '@expressive-code/core/hast';
import { visit } from 'unist-util-visit';
import { docs } from '../site.mjs';

const PICTURE = /^screens\/((\d\d)-[\w-]+)\.png$/;
const LIGHT_GREY_ON_BLACK = '07'; // most of the text: it needs no span
const COLUMNS_LEAST = 80;
const ROWS_LEAST = 25;
// What the font may lack: another font's sign may be wider than a cell.
const SIGN = /([^\x20-\xff])/;

export function screens() {
  return (tree) => {
    visit(tree, 'paragraph', (node) => {
      const [image, ...others] = node.children;
      const [, name, chapter] = (!others.length && PICTURE.exec(image?.url)) || [];
      const screen = name && read(name);
      if (!screen) return;
      const typed = h('code', command(name, Number(chapter)));
      node.children = [];
      node.data = {
        hName: 'figure',
        hProperties: { className: ['screen'] },
        hChildren: [glass(screen, image.alt), h('figcaption', ['From a run of ', typed])],
      };
    });
  };
}

/** The screen of that name, or null if there is only a picture of it. */
function read(name) {
  const file = path.join(docs, 'screens', `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

/** What the reader types to see the same. */
function command(name, chapter) {
  return `make chapter-${chapter} screen${name.endsWith('-uefi') ? ' FIRMWARE=uefi' : ''}`;
}

/** The screen with its text. What it shows is said in words: nobody wants to hear 2000 cells. */
function glass(screen, words) {
  const { columns, rows } = sizeShown(screen);
  const text = screen.lines.flatMap((line) => [...line.flatMap(run), '\n']);
  return h(
    'div',
    {
      className: ['glass', 'not-content'],
      role: 'img',
      ariaLabel: words,
      style: `--columns:${columns};--rows:${rows}`,
    },
    [h('pre', { ariaHidden: 'true' }, text)],
  );
}

/** As much as is written, but at least a whole text screen of VGA; the rest is black. */
function sizeShown({ lines }) {
  const widths = lines.map((line) => line.reduce((sum, [, text]) => sum + text.length, 0));
  return {
    columns: Math.max(COLUMNS_LEAST, ...widths),
    rows: Math.max(ROWS_LEAST, lines.length + 1),
  };
}

function run([attribute, text]) {
  if (attribute === LIGHT_GREY_ON_BLACK) return cells(text);
  const [paper, ink] = attribute;
  const className = [paper !== '0' && `p${paper}`, ink !== '7' && `i${ink}`].filter(Boolean);
  return h('span', { className }, cells(text));
}

/** The text, with each sign in a box of one cell. */
function cells(text) {
  return text
    .split(SIGN)
    .filter((piece) => piece !== '')
    .map((piece) => (SIGN.test(piece) ? h('b', piece) : piece));
}
