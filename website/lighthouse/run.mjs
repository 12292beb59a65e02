// run.mjs -- what Lighthouse says of the front page and of a post: node run.mjs
//
// It has a package of its own, because who only builds the site has no use for its 190 MB.
// CHROMIUM is the browser's path. The reports go into build/lighthouse; the scores, of 100,
// are printed as JSON: { "front": { "performance": 100, ... }, ... }.
import { mkdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { output, root } from '../site.mjs';
import { serve } from '../tools/serve.mjs';

const PAGES = { front: '', post: '04-protected-mode/' };
const PROGRAM = fileURLToPath(new URL('node_modules/lighthouse/cli/index.js', import.meta.url));
const FLAGS = '--headless=new --no-sandbox --disable-gpu --disable-background-networking '
  + '--disable-component-update --disable-sync';
const reports = path.join(root, 'build', 'lighthouse');

/** Run Lighthouse on an address; its reports are NAME.report.html and NAME.report.json. */
function lighthouse(address, name) {
  const child = spawn(process.execPath, [
    PROGRAM, address, '--quiet', '--output=json', '--output=html',
    `--output-path=${path.join(reports, name)}`, `--chrome-flags=${FLAGS}`,
  ], {
    env: { ...process.env, CHROME_PATH: process.env.CHROMIUM },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`Lighthouse ended with status ${status}`));
    });
  });
}

function scores(name) {
  const report = readFileSync(path.join(reports, `${name}.report.json`), 'utf8');
  const { categories } = JSON.parse(report);
  return Object.fromEntries(
    Object.values(categories).map(({ id, score }) => [id, Math.round(100 * score)]));
}

mkdirSync(reports, { recursive: true });
const server = await serve(output);
const found = {};
for (const [name, page] of Object.entries(PAGES)) {
  await lighthouse(server.address + page, name);
  found[name] = scores(name);
}
server.close();
console.log(JSON.stringify(found));
