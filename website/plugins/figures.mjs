// figures.mjs -- the drawings of a post become part of the page
//
// So they follow the page's theme and their text can be found and selected. The paragraph
// that says a drawing in words is folded below it. Runs after the steps that look for images.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { visit } from 'unist-util-visit';
import { docs } from '../site.mjs';

const WORDS = /^The drawing in words[:,]? /;

const element = (name, properties, children) => ({
  type: name,
  data: { hName: name, hProperties: properties },
  children,
});

/** The SVG for use inside of a page: its ids are the page's, and begin with its own name. */
function inlined(name, described) {
  const text = readFileSync(path.join(docs, 'images', `${name}.svg`), 'utf8')
    .replace(/\bid="(\w+)"/g, `id="${name}-$1"`)
    .replace(/url\(#(\w+)\)/g, `url(#${name}-$1)`)
    .replace(/\n\s*/g, '\n');
  return described
    ? text
        .replace(/<desc[^]*?<\/desc>\n/, '')
        .replace(/aria-labelledby="(\w+) \w+"/, `aria-labelledby="${name}-$1"`)
    : text.replace(/aria-labelledby="(\w+) (\w+)"/, `aria-labelledby="${name}-$1 ${name}-$2"`);
}

/** What a paragraph "The drawing in words: ..." says, or null if it is another one. */
function words(paragraph) {
  const [first, ...rest] = paragraph?.children?.[0]?.children ?? [];
  if (paragraph?.type !== 'paragraph' || !WORDS.test(first?.value)) return null;
  const said = first.value.replace(WORDS, '');
  return [{ type: 'text', value: said[0].toUpperCase() + said.slice(1) }, ...rest];
}

const folded = (said) =>
  element('figcaption', {}, [
    element('details', {}, [
      element('summary', {}, [{ type: 'text', value: 'The drawing in words' }]),
      element('p', {}, said),
    ]),
  ]);

/** Around the SVG, what scrolls where the window is too narrow for its letters. */
const scrolled = (svg) => `<div class="wide">\n${svg}</div>`;

/** A remark step: a paragraph that is a drawing, and its words, become a figure. */
export function figures() {
  return (tree) => {
    visit(tree, 'paragraph', (node, index, parent) => {
      const image = node.children.length === 1 && node.children[0];
      const drawing = /^images\/([\w-]+)\.svg$/.exec(image?.url);
      if (!drawing) return;
      const said = words(parent.children[index + 1]);
      const svg = { type: 'html', value: scrolled(inlined(drawing[1], said !== null)) };
      const figure = element('figure', { class: 'picture' }, said ? [svg, folded(said)] : [svg]);
      parent.children.splice(index, said ? 2 : 1, figure);
    });
  };
}
