// The pages as people meet them: with a keyboard, on a narrow screen, in light and dark. Leaves pictures.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { inContext } from './helpers/chromium.mjs';
import { chooseAccounts, chooseBank, connectButton, linkFrame, logIn } from './helpers/link.mjs';
import { SCREENSHOTS } from './helpers/output.mjs';
import { simulatedSetting, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = simulatedSetting('looks');
const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } };

/** A test in a context of its own, with `(page, context, watch)`. */
function pageTest(title, slug, body, options = {}) {
  test(title, { timeout: TIMEOUT_MS }, () => inContext(setting.browser, `looks-${slug}`, options, body));
}

async function picture(page, name) {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

async function assertFits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= window, `the page is ${content} pixels wide in a window of ${window}`);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    const name = `${size}-${colorScheme}`;
    pageTest(`every page in ${size} and ${colorScheme}`, name, async (page, _context, watch) => {
      await page.goto(setting.emulator.start({ send: 'state,client_id,response_type' }).url);
      await page.locator('#link[data-state="ready"]').waitFor();
      await assertFits(page);
      await picture(page, `link-page-${name}`);

      await page.goto(setting.broker.url);
      await connectButton(page).click();
      await linkFrame(page).getByRole('button', { name: 'Continue' }).waitFor();
      await picture(page, `simulator-link-start-${name}`);
      const link = await chooseBank(page);
      await link.getByLabel('Username').waitFor();
      await picture(page, `simulator-link-login-${name}`);
      await logIn(link);
      await chooseAccounts(link);
      await link.getByRole('button', { name: 'Finish' }).click();
      await page.waitForURL(/\/explorer$/);
      await assertFits(page);
      await picture(page, `result-${name}`);
      assert.deepEqual(watch.violations, []);
    }, { viewport, colorScheme });
  }
}

pageTest('the page has a title, one heading, a landmark and a language', 'structure', async (page) => {
  await page.goto(setting.emulator.start().url);
  await connectButton(page).waitFor();
  assert.notEqual((await page.title()).trim(), '');
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.equal(await page.getByRole('main').count(), 1);
  assert.match(await page.locator('html').getAttribute('lang'), /^en\b/);
  const nameless = await page.getByRole('button').filter({ hasNotText: /\S/ }).count();
  assert.equal(nameless, 0, 'every button has a name');
  await page.getByText('user_good').first().waitFor();
  await page.getByText('pass_good').first().waitFor();
});

pageTest('the page and its own assets are light', 'weight', async (page) => {
  const origin = new URL(setting.broker.url).origin;
  const responses = [];
  page.on('response', (response) => {
    const url = new URL(response.url());
    // Link itself is Plaid's, and the simulator's stand-in takes its place.
    if (url.origin === origin && !url.pathname.startsWith('/_simulator/')) responses.push(response);
  });
  await page.goto(setting.broker.url);
  await page.locator('#link[data-state="ready"]').waitFor();
  // Not as they come: one that came last would still be read when the page is closed.
  const sizes = await Promise.all(responses.map(async (response) => gzipSync(await response.body()).length));
  assert.ok(sizes.length >= 3, 'page, style and script were expected');
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 30_000, `${total} bytes compressed`);
});

pageTest('the keyboard alone reaches the main button, goes through Link and arrives', 'keyboard', async (page) => {
  await page.goto(setting.broker.url);
  await page.locator('#link[data-state="ready"]').waitFor();
  /** Presses Tab until the focus is on `target`. */
  const tabTo = async (target, what) => {
    await target.waitFor();
    for (let presses = 0; presses < 40; presses += 1) {
      if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${what}`);
  };
  const press = async (target, what) => {
    await tabTo(target, what);
    await page.keyboard.press('Enter');
  };
  await press(connectButton(page), 'the main button');
  const link = linkFrame(page);
  await press(link.getByRole('button', { name: 'Continue' }), 'Continue');
  await press(link.getByRole('button', { name: 'First Platypus Bank' }), 'the bank');
  await tabTo(link.getByLabel('Username'), 'Username');
  await page.keyboard.type('user_good');
  await tabTo(link.getByLabel('Password'), 'Password');
  await page.keyboard.type('pass_good');
  await page.keyboard.press('Enter');
  await tabTo(link.getByRole('checkbox').first(), 'the first account');
  if (!(await link.getByRole('checkbox').first().isChecked())) await page.keyboard.press('Space');
  await press(link.getByRole('button', { name: 'Continue' }), 'Continue');
  await press(link.getByRole('button', { name: 'Finish' }), 'Finish');
  await page.waitForURL(/\/explorer$/);
});
