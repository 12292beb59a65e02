// html.test.mjs -- every page is valid HTML, but for what is listed here with its reason
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import { output } from '../site.mjs';
import { fileOf, pagesToLookAt } from './built.mjs';
import { none } from './none.mjs';

// Rules about taste, which the HTML standard leaves free.
const FREE = {
  'void-style': 'off', // <meta/> and <meta> mean the same
  'no-inline-style': 'off', // the colours of code are custom properties of each word
  'no-implicit-button-type': 'off', // "submit" does nothing outside of a form
  'no-implicit-input-type': 'off', // "text" is what we want
  'no-trailing-whitespace': 'off',
  'long-title': 'off',
  'valid-id': ['error', { relaxed: true }], // HTML 5 lets an id begin with any character
  'wcag/h63': 'off', // in Markdown's tables the head of a column is one by its place
  'prefer-native-element': 'off', // role="region" makes a listing reachable that scrolls
};

// What Starlight and Expressive Code do, and we cannot change: rule, what, why it is harmless.
const EXCEPTIONS = [
  ['no-raw-characters', /^Raw ">"/, 'in text it stands for itself'],
  ['element-permitted-content', /> pre > code > div/, 'a line of code; browsers show it as meant'],
  ['element-permitted-content', /> figure > div > button > div$/, 'the mark on the copy button'],
  ['text-content', /> figure > div > button$/, 'the copy button: its title is its name'],
  ['unique-landmark', /starlight-toc > nav$/, 'one of the two is shown, the other is hidden'],
];

const validator = new HtmlValidate(new StaticConfigLoader({
  root: true,
  extends: ['html-validate:recommended'],
  rules: FREE,
}));

const excepted = ({ ruleId, message, selector }) =>
  EXCEPTIONS.some(([rule, what]) => rule === ruleId && what.test(`${message} ${selector}`));

async function errorsOf(results) {
  return (await results).results.flatMap((result) => result.messages)
    .filter((message) => !excepted(message))
    .map(({ line, column, message, selector }) => `${line}:${column}: ${message} (${selector})`);
}

// Astro 5.18 escapes an apostrophe in the words for a picture twice: it would be read aloud.
const TWICE = /\balt="[^"]*&amp;#?\w+;[^"]*"/g;

test('the words for a picture are escaped once', () => {
  none(pagesToLookAt().flatMap((page) =>
    readFileSync(path.join(output, fileOf(page)), 'utf8').match(TWICE) ?? []), 'are not');
});

const WHOLE = 'first-light.html';

for (const page of pagesToLookAt().filter((each) => each !== WHOLE)) {
  test(`${page || 'the front page'} is valid HTML`, async () => {
    none(await errorsOf(validator.validateFile(path.join(output, fileOf(page)))), 'errors');
  });
}

/** The single file with one of its articles at a time; with all of them it takes minutes. */
function* pieces() {
  const whole = readFileSync(path.join(output, WHOLE), 'utf8')
    .replace(/<style>[^]*?<\/style>/g, '')
    .replace(/"data:[^"]*"/g, '"data:,"');
  const [before, ...articles] = whole.split(/(?=<article id=)/);
  const end = articles.at(-1).lastIndexOf('</article>') + '</article>'.length;
  const behind = articles.at(-1).slice(end);
  articles.push(articles.pop().slice(0, end));
  for (const article of articles) yield before + article + behind;
}

test('the single file is valid HTML', async () => {
  const errors = [];
  for (const piece of pieces()) errors.push(...(await errorsOf(validator.validateString(piece))));
  none(errors, 'errors');
});
