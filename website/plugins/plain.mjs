// plain.mjs -- the light theme for readers without scripts
//
// Starlight has a script choose the theme: without it every page is dark. Those whose system
// is light get this style sheet, from inside of <noscript>: of all the site's rules the ones
// for the light theme, for whatever theme the page says. Figures see to it themselves.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import postcss from 'postcss';

const LIGHT = /\[data-theme=(['"]?)light\1\]/g;

/** The rules of a style sheet that are for the light theme alone, for any theme. */
export function lightRules(css) {
  const sheet = postcss.parse(css);
  sheet.walkRules((rule) => {
    const chosen = rule.selectors.filter((selector) => selector.match(LIGHT));
    if (chosen.length === 0) rule.remove();
    else rule.selectors = chosen.map((selector) => selector.replace(LIGHT, '[data-theme]'));
  });
  sheet.walkAtRules((around) => {
    let kept = 0;
    around.walkRules(() => void kept++);
    if (around.nodes && kept === 0) around.remove(); // the order of layers has none
  });
  return sheet.toString();
}

export function plain() {
  return {
    name: 'plain',
    hooks: {
      'astro:build:done': ({ dir }) => {
        const folder = fileURLToPath(new URL('_astro/', dir));
        const sheets = readdirSync(folder).filter((file) => file.endsWith('.css'));
        const light = sheets.map((file) => lightRules(readFileSync(path.join(folder, file), 'utf8')));
        writeFileSync(fileURLToPath(new URL('plain.css', dir)), light.join('\n'));
      },
    },
  };
}
