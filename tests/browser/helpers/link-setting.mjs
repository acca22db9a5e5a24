// One simulator, one app and one browser for the tests of Link in a file, and what a person does in it.

import { after, before, test } from 'node:test';

import { createLinkToken, startApp } from './app.mjs';
import { startSimulator } from './broker.mjs';
import { inContext, launchChromium } from './chromium.mjs';
import { closing } from './link.mjs';
import { TIMEOUT_MS } from './setting.mjs';

// The user agent of Android's WebView, where window.open does nothing.
export const WEBVIEW = 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36';
export const OAUTH_BANK = 'Platypus OAuth Bank';

/** Registers the hooks; the returned object is filled before the first test. */
export function linkSetting(name) {
  const setting = {};
  before(async () => {
    setting.simulator = await startSimulator(name);
    setting.app = await startApp(`${setting.simulator.url}/_simulator/link/link-initialize.js`);
    setting.browser = await launchChromium();
  }, { timeout: TIMEOUT_MS });
  after(async () => {
    await setting.browser?.close();
    await setting.app?.close();
    await setting.simulator?.stop();
  }, { timeout: TIMEOUT_MS });

  /** Runs `body` with an app's page and checks that nothing broke a policy or ended on the console. */
  setting.linkTest = (title, slug, body, { expected = [], ...options } = {}) =>
    test(title, { timeout: TIMEOUT_MS }, () =>
      inContext(setting.browser, `${name}-${slug}`, options, async (page, context, watch) => {
        await page.goto(setting.app.url);
        await body(page, context);
        watch.assertClean([setting.app.url, setting.simulator.url], expected);
      }));

  /** Opens Link in the app's page; gives the link token. */
  setting.openLink = async (page, changes = {}) => {
    const { link_token: token } = await createLinkToken(setting.simulator.url, changes);
    await page.evaluate((config) => window.create(config).open(), { token });
    return token;
  };
  return setting;
}

/** Leaves Link by its button. */
export async function leave(link) {
  await link.getByRole('button', { name: 'Close' }).click();
  await link.getByRole('button', { name: 'Yes, exit' }).click();
}

/** The last button. */
export async function finish(link) {
  await link.getByRole('button', { name: 'Finish' }).click();
}

/** Goes to the bank's window and decides there. */
export async function atTheBank(page, link, decision) {
  const opened = page.context().waitForEvent('page');
  await link.getByRole('button', { name: 'Continue to login' }).click();
  const bank = await opened;
  await untilClosed(bank, () => decideAtTheBank(bank, decision));
}

/** What `act` does closes the window, which may be gone before the mouse or the key is up again. */
export async function untilClosed(bank, act) {
  const closed = closing(bank);
  await act().catch((error) => {
    if (!bank.isClosed()) throw error;
  });
  await closed;
}

/** On the bank's page: logs in with nothing, then presses that button. */
export async function decideAtTheBank(bank, decision) {
  await bank.getByRole('button', { name: 'Log in' }).click();
  await bank.getByRole('button', { name: decision }).click();
}
