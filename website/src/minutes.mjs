// minutes.mjs -- how long it takes to read a post
const CODE = /^(```+)[^]*?^\1/gm;

// A minute's words of a text that one thinks about, and lines of code.
const WORDS = 200;
const LINES = 30;

/** Minutes to read this Markdown once, to the nearest five: who types along takes longer. */
export function minutes(markdown) {
  const lines = (markdown.match(CODE) ?? []).join('\n').split('\n').length;
  const words = markdown.replace(CODE, '').split(/\s+/).length;
  return 5 * Math.max(1, Math.round((words / WORDS + lines / LINES) / 5));
}
