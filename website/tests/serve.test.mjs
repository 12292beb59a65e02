// serve.test.mjs -- make website-serve: a page that follows its file while somebody writes
//
// In a copy of the repository, since a post is changed for it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { root } from '../site.mjs';

const PATIENCE = 60000; // milliseconds until the server should have said where it is
const LEFT_OUT = ['.git', 'build', 'node_modules', '.astro'];

/** Beside the site, so that the packages need not be copied: their files may have two names. */
function copyOfRepository() {
  const copy = mkdtempSync(path.join(root, 'build', 'copy-'));
  const filter = (file) => !LEFT_OUT.includes(path.basename(file));
  for (const name of readdirSync(root).filter(filter)) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true, filter });
  }
  execFileSync('cp', ['-al', path.join(root, 'website/node_modules'), path.join(copy, 'website')]);
  return copy;
}

/** What `child` prints until it says an address, which is returned. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`no address:\n${said}`)), PATIENCE);
    const listen = (text) => {
      said += text;
      const [address] = /http:\/\/localhost:\d+\//.exec(said) ?? [];
      if (!address) return;
      clearTimeout(late);
      resolve(address);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
  });
}

test('a page is shown anew when its file has changed', async (t) => {
  const copy = copyOfRepository();
  const child = spawn('npm', ['run', '--silent', 'serve'],
    { cwd: path.join(copy, 'website'), detached: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  t.after(async () => {
    await browser.close();
    process.kill(-child.pid);
    rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
  });
  const address = await addressOf(child);
  const source = await fetch(`${address}source/common/x86/layout.inc/`);
  assert.match(await source.text(), /id="L1">; layout\.inc/);
  const tab = await browser.newPage();
  await tab.goto(`${address}simd/`);

  await tab.getByRole('button', { name: 'Search' }).waitFor(); // its script is there
  await tab.keyboard.press('/');
  await tab.keyboard.type('lgdt');
  const status = tab.getByRole('dialog', { name: 'Search' }).getByRole('status');
  await status.filter({ hasText: 'nothing to search before the site is built' }).waitFor();
  await tab.keyboard.press('Escape');
  assert.equal(await tab.evaluate(() =>
    navigator.serviceWorker.getRegistrations().then(({ length }) => length)), 0);

  appendFileSync(path.join(copy, 'docs/simd.md'), '\nA sentence that was not here.\n');
  await tab.getByText('A sentence that was not here.').waitFor();
});
