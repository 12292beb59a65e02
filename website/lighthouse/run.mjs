// run.mjs -- what Lighthouse says of the front page and of a post: node run.mjs
//
// It has a package of its own, because who only builds the site has no use for its 190 MB.
// CHROMIUM is the browser's path. A page is looked at several times, because what else a machine
// does costs it points; what counts is the run with the middle one of the performances. The
// reports are in build/lighthouse, that run's under the page's name. Its scores, of 100, are
// printed as JSON:
// { "front": { "performance": 100, ... }, ... }.
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { output, root } from '../site.mjs';
import { serve } from '../tools/serve.mjs';

const RUNS = 3; // odd: one of them is in the middle
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

const reportOf = (name, type) => path.join(reports, `${name}.report.${type}`);

function scores(name) {
  const { categories } = JSON.parse(readFileSync(reportOf(name, 'json'), 'utf8'));
  return Object.fromEntries(
    Object.values(categories).map(({ id, score }) => [id, Math.round(100 * score)]));
}

/** The scores of the run in the middle; its reports take the name of the page. */
async function middle(address, name) {
  const runs = [];
  for (let number = 1; number <= RUNS; number++) {
    const run = `${name}-${number}`;
    await lighthouse(address, run);
    runs.push({ run, found: scores(run) });
  }
  runs.sort((a, b) => a.found.performance - b.found.performance);
  const { run, found } = runs[(RUNS - 1) / 2];
  for (const type of ['html', 'json']) renameSync(reportOf(run, type), reportOf(name, type));
  return found;
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
const server = await serve(output);
const found = {};
for (const [name, page] of Object.entries(PAGES)) {
  found[name] = await middle(server.address + page, name);
}
server.close();
console.log(JSON.stringify(found));
