// screen-font.mjs -- the font of the screens, Spleen, is served from the site itself
//
// It is Debian's package fonts-spleen, BSD-2-Clause: the licence goes beside it. Where it is
// not installed, screens are shown in the reader's own font.
import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../site.mjs';

const FONT = '/usr/share/fonts/opentype/spleen/spleen-8x16.otf';
const LICENCE = '/usr/share/doc/fonts-spleen/copyright';

export function screenFont() {
  const found = existsSync(FONT) && existsSync(LICENCE);
  return {
    name: 'screen-font',
    hooks: {
      'astro:config:setup': ({ injectScript, logger, updateConfig }) => {
        if (!found) {
          logger.warn("fonts-spleen is not installed: screens are in the reader's own font");
          return;
        }
        injectScript('page-ssr', "import '/src/styles/screen-font.css';");
        updateConfig({
          vite: {
            resolve: { alias: { 'spleen-8x16.otf': FONT } },
            server: { fs: { allow: [root, path.dirname(FONT)] } },
          },
        });
      },
      'astro:build:done': ({ dir }) => {
        if (found) copyFileSync(LICENCE, fileURLToPath(new URL('_astro/spleen-LICENSE.txt', dir)));
      },
    },
  };
}
