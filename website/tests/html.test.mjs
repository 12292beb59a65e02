// html.test.mjs -- every page is valid HTML, but for what is listed here with its reason
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
  'wcag/h63': 'off', // in Markdown's tables the head of a column is one by its place
  'prefer-native-element': 'off', // role="region" makes a listing reachable that scrolls
};

// What Starlight and Expressive Code do, and we cannot change: rule, what, why it is harmless.
const EXCEPTIONS = [
  ['valid-id', /#_top$/, 'HTML 5 lets an id begin with any character'],
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

// All of them in one file: what is wrong there is wrong here, and it takes minutes.
const WHOLE = 'first-light.html';

for (const page of pagesToLookAt().filter((each) => each !== WHOLE)) {
  test(`${page || 'the front page'} is valid HTML`, async () => {
    const { results } = await validator.validateFile(path.join(output, fileOf(page)));
    const errors = results.flatMap((result) => result.messages)
      .filter((message) => !excepted(message))
      .map(({ line, column, message, selector }) => `${line}:${column}: ${message} (${selector})`);
    none(errors, 'errors');
  });
}
