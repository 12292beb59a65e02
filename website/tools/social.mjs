// social.mjs -- take the picture that other sites show of ours: public/social.png
//
// The picture is committed. Run this by hand (node tools/social.mjs) after social.html has
// changed.
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--allow-file-access-from-files'],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 630 } });
await page.goto(`file://${here('social.html')}`);
await page.evaluate(() => document.fonts.ready);
await page.screenshot({ path: here('../public/social.png') });
await browser.close();
