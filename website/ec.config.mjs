// ec.config.mjs -- how code is shown: its languages, its colours, and the frame around it
import { readFileSync } from 'node:fs';
import { createRenderer } from 'rehype-expressive-code';
import { sessions } from './plugins/console.mjs';
import { sizes } from './plugins/sizes.mjs';
import { linkedTitles } from './plugins/titles.mjs';
import { themes } from './themes.mjs';

/** The languages that Shiki lacks or knows less of than our sources use, and an addition to C. */
export const langs = ['nasm', 'ld', 'console', 'c-definitions'].map((name) =>
  JSON.parse(readFileSync(new URL(`grammars/${name}.json`, import.meta.url), 'utf8')),
);

/** Shiki gives a line half a second. On a busy machine it may need more, and lost its colours. */
const patience = { preprocess: (_, options) => void (options.tokenizeTimeLimit = 0) };

/** Without the script that makes a landmark of each listing: src/scripts/scroll.ts does better. */
async function customCreateRenderer(options) {
  const renderer = await createRenderer(options);
  renderer.jsModules = renderer.jsModules.filter((code) => !code.includes('"role","region"'));
  return renderer;
}

export default {
  customCreateRenderer,
  plugins: [linkedTitles(), sessions(), sizes()],
  shiki: { langs, transformers: [patience] },
  themes,
  defaultProps: {
    wrap: false,
    // No window is drawn around what is typed into one.
    overridesByLang: { 'console,sh': { frame: 'none' } },
  },
  styleOverrides: {
    borderRadius: '0.25rem',
    codeLineHeight: '1.55',
    uiFontFamily: 'var(--__sl-font-mono)',
    uiFontSize: '0.8rem',
    frames: {
      frameBoxShadowCssValue: 'none',
      editorTabBarBorderColor: ({ theme }) => theme.colors['editorGroupHeader.tabsBorder'],
      editorTabBarBorderBottomColor: 'transparent',
      editorActiveTabBorderColor: 'transparent',
      editorActiveTabIndicatorHeight: '0px',
    },
  },
};
