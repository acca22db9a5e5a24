// The page as it is for Plaid's real environments: operator's keys, Plaid's own script address and the policy
// that goes with it. Plaid's API is the simulator; its CDN is stood in for in the browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { SIMULATOR_KEYS, startSandboxBroker, startSimulator } from './helpers/broker.mjs';
import { inContext, launchChromium, serveLinkFromSimulator } from './helpers/chromium.mjs';
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

/** A test in a context of its own. */
function pageTest(title, name, body) {
  test(title, { timeout: TIMEOUT_MS }, () => inContext(browser, name, {}, body));
}

pageTest('the whole flow with Link from cdn.plaid.com', 'sandbox', async (page, context, watch) => {
  await serveLinkFromSimulator(context, simulator.url);
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
});

pageTest('a redirect URI that is not on the list gets a page and no redirect', 'sandbox-unlisted', async (page) => {
  const response = await page.goto(`${broker.url}/?redirect_uri=${encodeURIComponent(`${emulator.callbackUrl}/`)}&state=x`);
  assert.equal(response.status(), 400);
  assert.equal(new URL(page.url()).origin, new URL(broker.url).origin);
  await page.getByText(emulator.callbackUrl).first().waitFor();
  await keepPage(page, 'sandbox-unlisted');
});

// Some banks take the whole tab instead of a pop-up. Link must then be reopened with the same link token and the address
// that the bank sent the browser to (https://plaid.com/docs/link/oauth/).
pageTest('a bank that takes the whole tab brings the person back, and the connection is finished', 'sandbox-return', async (page, context, watch) => {
  const seen = [];
  await context.exposeFunction('linkCreated', async (token, receivedRedirectUri) => {
    seen.push({ token, receivedRedirectUri });
    const response = await fetch(`${simulator.url}/sandbox/public_token/create`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        client_id: SIMULATOR_KEYS.id,
        secret: SIMULATOR_KEYS.secret,
        institution_id: 'ins_109508',
        initial_products: ['auth'],
      }),
    });
    return (await response.json()).public_token;
  });
  const script = `window.Plaid = { create: ({ token, receivedRedirectUri, onSuccess }) => ({
    open: async () => {
      const publicToken = await window.linkCreated(token, receivedRedirectUri);
      if (receivedRedirectUri) onSuccess(publicToken, { institution: null, accounts: [] });
      else location.href = '/link/return?oauth_state_id=7d1b2a5e-4f3c-4a9b-8c6d-000000000001';
    },
    destroy() {},
  }) };`;
  await context.route('https://cdn.plaid.com/**', (route) => route.fulfill({ contentType: 'text/javascript', body: script }));
  const { session, url } = emulator.start({ send: 'state' });
  await page.goto(url);
  await connectButton(page).click();
  const report = await reportOf(page, emulator, session);
  assert.deepEqual(report.problems, []);
  assert.equal(report.callback.state, 'unchanged');
  assert.equal(seen.length, 2);
  assert.equal(seen[0].receivedRedirectUri, undefined);
  assert.match(seen[1].receivedRedirectUri, /\/link\/return\?oauth_state_id=7d1b2a5e/);
  assert.equal(seen[0].token, seen[1].token);
  // The same return again, as a reload would be, cannot go on and says so.
  await page.goto(seen[1].receivedRedirectUri);
  await page.getByRole('alert').getByText('This page cannot go on').waitFor();
  await page.getByRole('button', { name: 'Cancel and return to Plaid token broker' }).waitFor();
  watch.assertClean(['https://cdn.plaid.com', new URL(broker.url).origin, new URL(emulator.url).origin]);
});
