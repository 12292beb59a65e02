// accessible.test.mjs -- axe-core finds no violation, and nothing is wider than the screen
//
// A picture of each is left in build/website-screens, to be looked at.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../site.mjs';
import { DESKTOP, KINDS, PHONE, THEMES, visit } from './browser.mjs';
import { pagesToLookAt } from './built.mjs';
import { none } from './none.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = path.join(root, 'build', 'website-screens');
mkdirSync(pictures, { recursive: true });

for (const [kind, page] of Object.entries(KINDS)) {
  for (const theme of THEMES) {
    test(`${kind}, ${theme}: everybody can use it`, async () => {
      await visit(page, async (tab) => {
        for (const viewport of [PHONE, DESKTOP]) {
          await tab.setViewportSize(viewport);
          await tab.waitForFunction(listingsAreReady);
          const name = `${kind.replaceAll(' ', '-')}-${theme}-${viewport.width}.png`;
          await tab.screenshot({ path: path.join(pictures, name) });
          none(await violations(tab), `at ${viewport.width} pixels`);
        }
      }, { theme });
    });
  }
}

/** In the page: each listing that scrolls can be reached by keyboard, soon after a resize. */
function listingsAreReady() {
  return [...document.querySelectorAll('.expressive-code pre')]
    .every((pre) => pre.scrollWidth <= pre.clientWidth || pre.tabIndex === 0);
}

/** What axe-core objects to: its rule, how often, and the first place. */
async function violations(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run());
  return violations.filter((violation) => !excepted(violation)).map(({ id, nodes }) => {
    const [{ target, failureSummary }] = nodes;
    return `${id}: ${nodes.length} times, first ${target.join(' ')}: ${failureSummary}`;
  });
}

/** Expressive Code makes each listing that scrolls a region, and gives none a name. */
function excepted({ id, nodes }) {
  return id === 'landmark-unique' && nodes.every(({ html }) => html.startsWith('<pre '));
}

test('no page is wider than the screen', async () => {
  const wide = [];
  for (const page of pagesToLookAt()) {
    await visit(page, async (tab) => {
      for (const viewport of [PHONE, DESKTOP]) {
        await tab.setViewportSize(viewport);
        const width = await tab.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) wide.push(`${page}: ${width} pixels of ${viewport.width}`);
      }
    });
  }
  none(wide, 'pages that are too wide');
});
