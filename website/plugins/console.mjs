// console.mjs -- what a reader copies from a session in a terminal: the commands
//
// The prompt cannot be selected, and the copy button leaves out the prompts and all that
// the machine answered. A session has no ground of its own, as a listing has.
import { readFileSync } from 'node:fs';
import { definePlugin, ExpressiveCodeAnnotation } from '@expressive-code/core';
import { addClassName, h, select } from '@expressive-code/core/hast';

const grammar = JSON.parse(
  readFileSync(new URL('../grammars/console.json', import.meta.url), 'utf8'),
);

// The grammar says what a prompt is, for its colour and for this.
const PROMPT = new RegExp(grammar.patterns.find((pattern) => pattern.begin).begin);

// How the copy button of Expressive Code writes the end of a line.
const NEWLINE = '\x7f';

/** Whether a line, or the first line of a text, is a command behind its prompt. */
export function isCommand(line) {
  return PROMPT.test(line);
}

/** The commands of a session without their prompts, one a line, as they were typed. */
export function commands(session) {
  let typed = false;
  return session
    .split('\n')
    .filter((line) => {
      const belongs = isCommand(line) || typed;
      typed = belongs && line.endsWith('\\');
      return belongs;
    })
    .map((line) => line.replace(PROMPT, ''))
    .join('\n');
}

/** A prompt, in a span of its own. */
class Prompt extends ExpressiveCodeAnnotation {
  render({ nodesToTransform }) {
    return nodesToTransform.map((node) => h('span.prompt', node));
  }
}

/** The plugin for Expressive Code. */
export function sessions() {
  return definePlugin({
    name: 'Sessions',
    baseStyles: `
      .frame.session { --code-background: transparent; }
      .frame.session .copy button { background: var(--sl-color-bg); }
      .prompt { user-select: none; -webkit-user-select: none; }
    `,
    hooks: {
      annotateCode: ({ codeBlock }) => {
        if (codeBlock.language !== 'console') return;
        for (const line of codeBlock.getLines()) {
          const [prompt] = PROMPT.exec(line.text) ?? [];
          if (!prompt) continue;
          const inlineRange = { columnStart: 0, columnEnd: prompt.length };
          line.addAnnotation(new Prompt({ inlineRange }));
        }
      },
      postprocessRenderedBlock: ({ codeBlock, renderData }) => {
        if (codeBlock.language !== 'console') return;
        addClassName(renderData.blockAst, 'session');
        const typed = commands(codeBlock.code);
        const button = select('.copy button', renderData.blockAst);
        if (typed && button) button.properties.dataCode = typed.replaceAll('\n', NEWLINE);
      },
    },
  });
}
