// The administration in a browser: the single-use link, the login, the list of connections. Leaves pictures.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { inContext } from './helpers/chromium.mjs';
import { authorize } from './helpers/direct.mjs';
import { SCREENSHOTS } from './helpers/output.mjs';
import { simulatedSetting, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = simulatedSetting('admin', { BROKER_ADMIN_TOKEN: 'the-admin-token-of-this-test' });
const LOOKS = [
  { name: 'narrow-light', viewport: { width: 360, height: 740 }, colorScheme: 'light' },
  { name: 'narrow-dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'wide-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'wide-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
];

async function picture(page, name) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= window, `${name} is ${content} pixels wide in a window of ${window}`);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** A context, and a check at its end that the pages kept to their policy. */
function visit(name, options, body, expected = []) {
  return inContext(setting.browser, `admin-${name}`, options, async (page, context, watch) => {
    await body(page, context);
    watch.assertClean([new URL(setting.broker.url).origin], expected);
  });
}

/** Kore.ai's whole way up to the tokens, so that there is a connection in use. */
async function connect() {
  const { url } = setting.emulator.start({ send: 'state,client_id,response_type' });
  await authorize(url, setting.broker.simulatorUrl);
}

async function logIn(page) {
  await page.goto(`${setting.broker.url}/setup/connections`);
  await page.getByLabel('Admin token').fill('the-admin-token-of-this-test');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL(/\/setup\/connections$/);
}

test('the link that admin-link prints logs in once, by a button, and leaves no trace of itself', { timeout: TIMEOUT_MS }, async () => {
  const link = await setting.broker.adminLink();
  const token = link.split('/').at(-1);
  // The link's host is the public one; the browser of the test reaches the broker by the address that it bound.
  const address = new URL(new URL(link).pathname, setting.broker.url).href;
  await visit('link', LOOKS[0], async (page) => {
    await page.goto('about:blank');
    await page.goto(address);
    await page.waitForURL(/\/setup\/login\?link=kept$/);
    assert.ok(!(await page.content()).includes(token), 'the page does not repeat the token');
    await picture(page, 'admin-login-link-narrow-light');
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.getByRole('button', { name: 'Log in' }).click(),
    ]);
    assert.equal(answer.status(), 303);
    // Going back leads to pages that do not have it.
    await page.goto(`${setting.broker.url}/setup/connections`);
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
    for (let back = 0; back < 4; back += 1) {
      await page.goBack();
      assert.ok(!page.url().includes(token), page.url());
    }
  }, [/404/]);
  await visit('link-again', LOOKS[0], async (page) => {
    await page.goto(address);
    await page.getByText('used already').waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
  });
});

for (const look of LOOKS) {
  test(`login and connections in ${look.name}`, { timeout: TIMEOUT_MS }, async () => {
    await connect();
    await connect();
    await visit(look.name, look, async (page) => {
      await page.goto(`${setting.broker.url}/setup/connections`);
      await picture(page, `admin-login-${look.name}`);
      await page.getByLabel('Admin token').fill('wrong-wrong-wrong-wrong');
      await page.keyboard.press('Enter');
      await page.getByText('This is not the admin token.').waitFor();
      await logIn(page);
      assert.equal(await page.getByRole('table').count(), 1, 'cards are a table for screen readers too');
      assert.ok(await page.getByRole('row').count() >= 3);
      assert.equal(await page.getByRole('columnheader').count(), 7);
      await page.getByRole('rowheader', { name: /First Platypus Bank/ }).first().waitFor();
      await picture(page, `connections-${look.name}`);

      const revoke = page.getByRole('link', { name: /^Revoke… / }).first();
      await revoke.click();
      await page.getByRole('heading', { level: 1, name: 'Revoke this connection?' }).waitFor();
      await picture(page, `connections-revoke-${look.name}`);
      await page.getByRole('button', { name: 'Revoke it' }).click();
      await page.getByText('One connection was ended.').waitFor();
      await page.getByRole('link', { name: 'Revoke all connections…' }).click();
      await page.getByLabel(/^To confirm, type/).fill('something else');
      await picture(page, `connections-revoke-all-${look.name}`);
      await page.getByRole('button', { name: 'Revoke everything' }).click();
      await page.getByText('Nothing was ended').waitFor();
      await page.getByRole('link', { name: 'Change nothing' }).click();
      await page.getByLabel('State').selectOption('All');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByRole('cell', { name: /Removed|Being removed/ }).first().waitFor();

      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByText('You are logged out.').waitFor();
      await page.goBack();
      await page.reload();
      await page.getByLabel('Admin token').waitFor();
    }, [/40[03]/]);
  });
}

test('without scripts the kill switch works and says what it did', { timeout: TIMEOUT_MS }, async () => {
  await connect();
  await connect();
  await visit('kill-switch', { javaScriptEnabled: false }, async (page) => {
    await logIn(page);
    await page.getByRole('link', { name: 'Revoke all connections…' }).click();
    await page.getByText(/^All \d+ connections in use, of all clients, in simulator\.$/).waitFor();
    await page.getByLabel(/^To confirm, type/).fill('revoke all');
    await page.getByRole('button', { name: 'Revoke everything' }).click();
    await page.getByText(/\d+ connections were ended/).waitFor();
    await page.getByText('No connections match this filter.').waitFor();
  });
});
