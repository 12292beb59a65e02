// use.test.mjs -- what a reader does with a post: copy, switch the light, enlarge, jump
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESKTOP, PHONE, visit } from './browser.mjs';

const background = (tab) => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);

test('the copy button takes the commands of a session, without its prompts', async () => {
  await visit('01-boot-sector/', async (tab) => {
    const session = tab.locator('figure', { has: tab.locator('pre[data-language="console"]') })
      .filter({ hasText: '$ ' }).first();
    await session.hover();
    await session.getByRole('button').click();
    const copied = await tab.evaluate(() => navigator.clipboard.readText());
    const shown = await session.locator('pre').innerText();
    const commands = shown.split('\n').filter((line) => line.startsWith('$ '));
    assert.ok(copied.startsWith(commands[0].slice(2)), `copied: ${copied}`);
    assert.ok(!copied.includes('$ '));
  }, { permissions: ['clipboard-read', 'clipboard-write'] });
});

test('the lines that the text speaks of are marked', async () => {
  await visit('05-long-mode/', async (tab) => {
    const listing = tab.locator('figure').filter({ hasText: 'enter_long_mode:' }).first();
    const marked = listing.locator('.ec-line.mark');
    assert.deepEqual(
      (await marked.allTextContents()).map((text) => text.replace(/;.*/s, '').trim()),
      ['or  eax, CR4_PAE', 'mov cr3, eax', 'or  eax, EFER_LME', 'or  eax, CR0_PG'],
    );
    const colour = (line) => getComputedStyle(line).backgroundColor;
    assert.notEqual(await marked.first().evaluate(colour),
      await listing.locator('.ec-line:not(.mark)').first().evaluate(colour));
  });
});

test('the theme is the one of the system, until the reader chooses; the choice stays', async () => {
  await visit('setup/', async (tab) => {
    const dark = await background(tab);
    await tab.emulateMedia({ colorScheme: 'light' });
    await tab.reload();
    const light = await background(tab);
    assert.notEqual(light, dark);
    await tab.locator('starlight-theme-select select').first().selectOption('dark');
    assert.equal(await background(tab), dark);
    await tab.reload();
    assert.equal(await background(tab), dark);
  }, { theme: 'dark' });
});

test('a screen is enlarged with a key, and Escape closes it', async () => {
  await visit('01-boot-sector/', async (tab) => {
    const enlarge = tab.locator('figure.screen').first().getByRole('button');
    await enlarge.focus();
    await tab.keyboard.press('Enter');
    const dialog = tab.getByRole('dialog', { name: 'Screen, enlarged' });
    await dialog.waitFor();
    const { width } = await dialog.locator('.glass').boundingBox();
    assert.ok(width > DESKTOP.width / 2, `${width} pixels wide`);
    await tab.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.ok(await enlarge.evaluate((button) => button === document.activeElement));
  });
});

test('what changed since the last chapter comes when it is opened', async () => {
  await visit('04-protected-mode/', async (tab) => {
    await tab.locator('chapter-changes summary').first().click();
    await tab.locator('chapter-changes [data-changes]').waitFor();
    assert.match(await tab.locator('chapter-changes').innerText(), /04-protected-mode\/gdt\.asm/);
  });
});

test('the table of contents marks the section that is read', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const link = tab.locator('starlight-toc a').nth(3);
    await link.click();
    await tab.locator('starlight-toc a[aria-current="true"]')
      .filter({ hasText: await link.innerText() }).waitFor();
  });
});

test('on a phone, the menu of pages opens and leads on', async () => {
  await visit('setup/', async (tab) => {
    await tab.locator('starlight-menu-button button').click();
    await tab.getByRole('link', { name: /long mode/i }).first().click();
    await tab.waitForURL('**/05-long-mode/');
  }, { viewport: PHONE });
});

for (const page of ['', 'no-such-page']) {
  test(`on a phone, ${page || 'the front page'} has the choice of the theme`, async () => {
    await visit(page, async (tab) => {
      const dark = await background(tab);
      const choice = tab.locator('starlight-theme-select select:visible');
      const { width, height } = await choice.boundingBox();
      assert.ok(width >= 24 && height >= 24, `${width} by ${height} pixels to touch`);
      await choice.selectOption('light');
      assert.notEqual(await background(tab), dark);
    }, { viewport: PHONE, theme: 'dark' });
  });
}

test('on a phone, what First Light is, for whom and how to start is on the first screen', async () => {
  await visit('', async (tab) => {
    const parts = tab.locator('.hero :is(h1, .question, .copy p, dt)');
    assert.ok((await parts.count()) >= 7);
    for (const part of await parts.all()) {
      const { y, height } = await part.boundingBox();
      assert.ok(y + height <= PHONE.height, `"${await part.innerText()}" ends at ${y + height}`);
    }
  }, { viewport: PHONE });
});

test('on a phone a row of many columns is a list that names them', async () => {
  await visit('symptoms/', async (tab) => {
    const cells = tab.locator('.rows').first().locator('tbody tr').first().locator('td');
    const named = await cells.evaluateAll((all) => all.map((cell) => ({
      name: getComputedStyle(cell, '::before').content,
      width: cell.getBoundingClientRect().width,
    })));
    assert.deepEqual(named.map(({ name }) => name),
      ['"you see"', '"why"', '"see it happen"', '"post"']);
    assert.ok(named[1].width > PHONE.width / 2, `the cause is ${named[1].width} pixels wide`);
  }, { viewport: PHONE });
});

test('what scrolls sideways fades at its right, until its end is seen', async () => {
  await visit('04-protected-mode/', async (tab) => {
    const drawing = tab.locator('.picture .wide').first();
    const mask = () => drawing.evaluate((box) => getComputedStyle(box).maskImage);
    await tab.locator('.picture .wide[data-more]').first().waitFor();
    assert.match(await mask(), /gradient/);
    await drawing.evaluate((box) => box.scrollTo(box.scrollWidth, 0));
    await tab.locator('.picture .wide').first().and(tab.locator(':not([data-more])')).waitFor();
    assert.equal(await mask(), 'none');
  }, { viewport: PHONE });
});
