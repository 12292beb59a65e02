// social.mjs -- take the picture that other sites show of ours, and the cover of the book
//
// The pictures are committed. Run this by hand (node tools/social.mjs) after social.html has
// changed.
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const PICTURES = {
  '../public/social.png': { width: 1200, height: 630 },
  'cover.png': { width: 1200, height: 1920 },
};

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--allow-file-access-from-files'],
});
for (const [file, viewport] of Object.entries(PICTURES)) {
  const page = await browser.newPage({ viewport });
  await page.goto(`file://${here('social.html')}`);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: here(file) });
}
await browser.close();
