// weigh.mjs -- what each post makes a browser load, in bytes as they are sent
//
// Text is sent with gzip. CHROMIUM is the browser's path. Printed as JSON: for each post the
// bytes of "text" (HTML, styles, scripts) and of "fonts". Search loads more when it is opened.
import { chromium } from 'playwright-core';
import { chapters, output } from '../site.mjs';
import { serve } from './serve.mjs';

const TEXT = ['document', 'stylesheet', 'script'];

async function weigh(context, address) {
  const tab = await context.newPage();
  const responses = [];
  tab.on('response', (response) => responses.push(response));
  await tab.goto(address, { waitUntil: 'networkidle' });
  const weight = { text: 0, fonts: 0 };
  for (const response of responses) {
    const type = response.request().resourceType();
    const { responseBodySize } = await response.request().sizes();
    if (TEXT.includes(type)) weight.text += responseBodySize;
    if (type === 'font') weight.fonts += responseBodySize;
  }
  await tab.close();
  return weight;
}

const server = await serve(output);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
const found = {};
for (const chapter of chapters) {
  // A browser that has seen nothing yet; no service worker fetches ahead.
  const context = await browser.newContext({ serviceWorkers: 'block' });
  found[chapter] = await weigh(context, `${server.address}${chapter}/`);
  await context.close();
}
await browser.close();
server.close();
console.log(JSON.stringify(found));
