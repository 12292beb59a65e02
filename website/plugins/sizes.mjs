// sizes.mjs -- a listing says how large it is: no browser need lay it out before it is seen
//
// A post has hundreds of coloured words in its listings, and few of them on its first screen.
// Letters of one width make a listing's size known: its lines, and the columns of the longest.
import { definePlugin } from '@expressive-code/core';
import { select, setInlineStyle } from '@expressive-code/core/hast';

// The copy button stands beside the ends of two lines. Expressive Code leaves room for it in the
// first, and so do we in the second: as many columns.
const BESIDE = 2;
const BUTTON = 4;

/** The plugin for Expressive Code. */
export function sizes() {
  return definePlugin({
    name: 'Sizes',
    baseStyles: `
      .ec-line:nth-child(2) .code {
        padding-inline-end: calc(2rem + var(--ec-codePadInl));
      }
      pre > code {
        min-inline-size: calc(var(--columns) * 1ch + 2 * var(--ec-codePadInl));
      }
      /* Safari before 26 does not find words in what it has not laid out; it lacks anchors, too. */
      @supports (anchor-name: --a) {
        @media screen {
          pre > code {
            content-visibility: auto;
            contain-intrinsic-block-size: auto calc(var(--lines) * 1lh);
          }
        }
      }
    `,
    hooks: {
      postprocessRenderedBlock: ({ codeBlock, renderData }) => {
        const code = select('pre > code', renderData.blockAst);
        const columns = codeBlock.getLines().map(
          ({ text }, line) => text.length + (line < BESIDE ? BUTTON : 0));
        setInlineStyle(code, '--lines', String(columns.length));
        setInlineStyle(code, '--columns', String(Math.max(...columns)));
      },
    },
  });
}
