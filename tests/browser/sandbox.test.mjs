// The page as it is for Plaid's real environments: operator's keys, Plaid's own script address and the policy
// that goes with it. Plaid's API is the simulator; its CDN is stood in for in the browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { SIMULATOR_KEYS, startSandboxBroker, startSimulator } from './helpers/broker.mjs';
import { launchChromium, openContext, serveLinkFromSimulator } from './helpers/chromium.mjs';
import { connectButton, passLink } from './helpers/link.mjs';
import { keepPage } from './helpers/output.mjs';
import { reportOf, TIMEOUT_MS } from './helpers/setting.mjs';

let simulator;
let emulator;
let broker;
let browser;

before(async () => {
  simulator = await startSimulator('sandbox-simulator');
  emulator = await startEmulator({ plaid: simulator.url, client: SIMULATOR_KEYS });
  broker = await startSandboxBroker('sandbox-broker', simulator.url, emulator.callbackUrl);
  emulator.settings.broker = broker.url;
  browser = await launchChromium();
}, { timeout: TIMEOUT_MS });

after(async () => {
  await browser?.close();
  await emulator?.close();
  await broker?.stop();
  await simulator?.stop();
}, { timeout: TIMEOUT_MS });

test('the whole flow with Link from cdn.plaid.com', { timeout: TIMEOUT_MS }, async () => {
  const { context, watch } = await openContext(browser, 'sandbox');
  await serveLinkFromSimulator(context, simulator.url);
  const page = await context.newPage();
  const { session, url } = emulator.start({ send: 'state,client_id,response_type,scope', replay: '1' });
  const opened = page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() === 200);
  await page.goto(url);
  const policy = (await (await opened).allHeaders())['content-security-policy'];
  await connectButton(page).waitFor();
  await keepPage(page, 'sandbox-link-page');
  await passLink(page);
  const report = await reportOf(page, emulator, session);
  assert.deepEqual(report.problems, []);
  assert.equal(report.callback.state, 'unchanged');
  watch.assertClean(['https://cdn.plaid.com', new URL(broker.url).origin, new URL(emulator.url).origin]);
  assert.ok(watch.origins.has('https://cdn.plaid.com'), 'Link did not come from Plaid’s CDN');
  assert.match(policy, /https:\/\/cdn\.plaid\.com/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*'unsafe-inline'/);
  await context.close();
});

test('a redirect URI that is not on the list gets a page and no redirect', { timeout: TIMEOUT_MS }, async () => {
  const { context } = await openContext(browser, 'sandbox-unlisted');
  const page = await context.newPage();
  const response = await page.goto(`${broker.url}/?redirect_uri=${encodeURIComponent(`${emulator.callbackUrl}/`)}&state=x`);
  assert.equal(response.status(), 400);
  assert.equal(new URL(page.url()).origin, new URL(broker.url).origin);
  await page.getByText(emulator.callbackUrl).first().waitFor();
  await keepPage(page, 'sandbox-unlisted');
  await context.close();
});
