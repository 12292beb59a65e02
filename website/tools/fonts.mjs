// fonts.mjs -- the site's fonts, with the letters that the site uses and no others
//
// IBM Plex (SIL Open Font License 1.1) for text and code, and Spleen (BSD-2-Clause, Debian's
// package fonts-spleen) for the screens; each licence goes beside its fonts into build/fonts.
// They are drawn with smoothing on any screen of today, so the hints for coarse ones go, too:
// what is left is a third of the bytes. Where Spleen is not installed there is no screen.woff2.
import {
  copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import subsetFont from 'subset-font';
import { docs, fonts, root } from '../site.mjs';

const PLEX = path.join(root, 'website/node_modules/@fontsource');
const FACES = {
  'serif-400': ['serif', '400-normal'],
  'serif-400-italic': ['serif', '400-italic'],
  'serif-600': ['serif', '600-normal'],
  'mono-400': ['mono', '400-normal'],
};
const SPLEEN = '/usr/share/fonts/opentype/spleen/spleen-8x16.otf';
const SPLEEN_LICENCE = '/usr/share/doc/fonts-spleen/copyright';

const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const TYPOGRAPHY = '\u00a0‘’“”–—…';

/** The text of all files in a folder, and in those below it, whose name matches. */
const textOf = (folder, name) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => name.test(file))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('');

async function cut(source, letters, name, options) {
  const font = await subsetFont(readFileSync(source), letters, {
    targetFormat: 'woff2',
    noHinting: true,
    ...options,
  });
  writeFileSync(path.join(fonts, `${name}.woff2`), font);
}

rmSync(fonts, { recursive: true, force: true });
mkdirSync(fonts, { recursive: true });
const posts = textOf(docs, /\.md$/);
const prose = posts.replace(/^```.*?^```/gms, '').replace(/`[^`]*`/g, '');
const letters = {
  serif: ASCII + TYPOGRAPHY + prose,
  mono: ASCII + TYPOGRAPHY + posts + textOf(path.join(root, 'website/src'), /\.(astro|mjs|ts)$/),
  screen: textOf(path.join(docs, 'screens'), /\.json$/),
};
for (const [name, [family, face]] of Object.entries(FACES)) {
  const folder = path.join(PLEX, `ibm-plex-${family}`);
  const file = path.join(folder, 'files', `ibm-plex-${family}-latin-${face}.woff2`);
  // Few words are in italics: the table of its pairs of letters would be a quarter of its bytes.
  const pairs = name.endsWith('italic') ? [] : ['kern'];
  await cut(file, letters[family], name, { keepFeatures: ['liga', ...pairs] });
  copyFileSync(path.join(folder, 'LICENSE'), path.join(fonts, `${family}-LICENSE.txt`));
}
if (existsSync(SPLEEN) && existsSync(SPLEEN_LICENCE)) {
  await cut(SPLEEN, letters.screen, 'screen');
  copyFileSync(SPLEEN_LICENCE, path.join(fonts, 'screen-LICENSE.txt'));
}

// The last one, which tells make that all are there: which letters are in which family.
const sorted = (text) => [...new Set(text)].filter((letter) => letter >= ' ').sort().join('');
const lines = Object.entries(letters).map(([family, text]) => `${family}: ${sorted(text)}\n`);
writeFileSync(path.join(fonts, 'letters.txt'), lines.join(''));
