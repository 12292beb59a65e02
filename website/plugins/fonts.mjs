// fonts.mjs -- the site's fonts are served from the site itself, and their licences with them
//
// tools/fonts.mjs makes them. Where that of the screens, Spleen, is not installed, screens are
// shown in the reader's own font.
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fonts, root } from '../site.mjs';

export function siteFonts() {
  return {
    name: 'site-fonts',
    hooks: {
      'astro:config:setup': ({ injectScript, logger, updateConfig }) => {
        updateConfig({ vite: { server: { fs: { allow: [root] } } } });
        if (existsSync(path.join(fonts, 'screen.woff2'))) {
          injectScript('page-ssr', "import '/src/styles/screen-font.css';");
        } else {
          logger.warn("screens are in the reader's own font: install fonts-spleen, remove build/fonts");
        }
      },
      'astro:build:done': ({ dir }) => {
        for (const file of readdirSync(fonts).filter((name) => name.endsWith('LICENSE.txt'))) {
          copyFileSync(path.join(fonts, file), fileURLToPath(new URL(`_astro/${file}`, dir)));
        }
      },
    },
  };
}
