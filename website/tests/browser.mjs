// browser.mjs -- the built site in Chromium, below a path that it has not been told of
//
// Whatever a test looks at: a page that complains in the console, asks another host for
// anything, or gets something that is not there, fails it. The viewports are a phone's and a
// desktop's. CHROMIUM is the browser's path; make test-website finds it.
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { output, published, site } from '../site.mjs';
import { serve } from '../tools/serve.mjs';
import { none } from './none.mjs';

export const NARROW = { width: 320, height: 568 };
export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1440, height: 900 };
export const THEMES = ['light', 'dark'];
const PATIENCE = 15000; // milliseconds until something that is waited for will not come

/** One page of each kind: its name and its address below the site's. */
export const KINDS = {
  front: '',
  post: '04-protected-mode/',
  screens: '08-console/',
  reference: 'glossary/',
  tables: 'boot-protocol/',
  contents: 'contents/',
  changes: 'changes/04-protected-mode/',
  source: 'source/common/bios/print.asm/',
  'not found': 'no-such-page',
};

// Only 404.html has been told the path of SITE, if there is one.
const prefix = published ? new URL(site).pathname : '/some/where/';
const server = await serve(output, prefix);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
after(async () => {
  await browser.close();
  server.close();
});

export const { address } = server;

/**
 * Open a page, let `look` use it (a Playwright page), and close it.
 *
 * `options`: viewport, theme ("light", "dark"), javaScript (false: switched off), and what
 * else Playwright's newContext() takes.
 */
export async function visit(page, look, options = {}) {
  const { viewport = DESKTOP, theme = 'light', javaScript = true, ...more } = options;
  const context = await browser.newContext({
    viewport,
    colorScheme: theme,
    javaScriptEnabled: javaScript,
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
    ...more,
  });
  try {
    context.setDefaultTimeout(PATIENCE);
    const tab = await context.newPage();
    const complaints = listen(tab, page);
    await tab.goto(address + page);
    await look(tab);
    none(complaints, `complaints of ${page || 'the front page'}`);
  } finally {
    await context.close();
  }
}

/** Collect what goes wrong in a tab. The address that is asked for may be missing by intent. */
function listen(tab, page) {
  const complaints = [];
  tab.on('console', (message) => {
    const expected = message.location().url === address + page && /404/.test(message.text());
    if (message.type() === 'error' && !expected) complaints.push(message.text());
  });
  tab.on('pageerror', (error) => complaints.push(String(error)));
  tab.on('request', (request) => {
    if (!request.url().startsWith(address) && !/^(data|blob):/.test(request.url())) {
      complaints.push(`it asks ${request.url()}`);
    }
  });
  tab.on('response', (response) => {
    if (response.status() >= 400 && response.url() !== address + page) {
      complaints.push(`it gets ${response.status()} for ${response.url()}`);
    }
  });
  return complaints;
}
