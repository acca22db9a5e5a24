// Banks with a login page of their own and Hosted Link: in pop-ups and where there are none, in an app, in the broker's
// page, and with Link from Plaid's own address.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { callPlaid, createLinkToken, end, eventNames } from './helpers/app.mjs';
import { SIMULATOR_KEYS, startSandboxBroker, startSimulatedBroker } from './helpers/broker.mjs';
import { inContext, serveLinkFromSimulator } from './helpers/chromium.mjs';
import { atTheBank, decideAtTheBank, finish, leave, linkSetting, OAUTH_BANK, WEBVIEW } from './helpers/link-setting.mjs';
import { chooseAccounts, chooseBank, connectButton, linkFrame, logIn } from './helpers/link.mjs';
import { freePort } from './helpers/port.mjs';
import { reportOf, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = linkSetting('banks');
const { linkTest, openLink } = setting;

linkTest('a bank with a page of its own, in a pop-up', 'oauth-popup', async (page) => {
  await openLink(page);
  const link = await chooseBank(page, OAUTH_BANK);
  await atTheBank(page, link, 'Agree and continue');
  await chooseAccounts(link);
  await finish(link);
  const [, metadata] = await end(page, 'success');
  assert.equal(metadata.institution.name, OAUTH_BANK);
  const names = await eventNames(page);
  assert.ok(names.indexOf('OPEN_OAUTH') < names.indexOf('CLOSE_OAUTH'));
});

linkTest('who says no at the bank, or closes its window, comes back to Link', 'oauth-no', async (page, context) => {
  await openLink(page);
  const link = await chooseBank(page, OAUTH_BANK);
  const opened = context.waitForEvent('page');
  await link.getByRole('button', { name: 'Continue to login' }).click();
  const bank = await opened;
  await link.getByRole('heading', { name: 'Continue at your bank' }).waitFor();
  await bank.close();
  await link.getByRole('button', { name: 'Continue to login' }).waitFor();
  await atTheBank(page, link, 'Cancel');
  await link.getByRole('alert').waitFor();
  await leave(link);
  const [error, metadata] = await end(page, 'exit');
  assert.equal(metadata.status, 'requires_oauth');
  assert.equal(error.error_code, 'ACCESS_NOT_GRANTED');
  assert.deepEqual((await eventNames(page)).slice(-4), ['FAIL_OAUTH', 'ERROR', 'TRANSITION_VIEW', 'EXIT']);
});

linkTest('without pop-ups the bank takes the whole tab and sends it back', 'oauth-redirect', async (page) => {
  const token = await openLink(page, { redirect_uri: `${setting.app.url}/back` });
  const link = await chooseBank(page, OAUTH_BANK);
  await link.getByRole('button', { name: 'Continue to login' }).click();
  await page.waitForURL(/\/bank\.html/);
  await decideAtTheBank(page, 'Agree and continue');
  await page.waitForURL(/\/back\?oauth_state_id=[0-9a-f-]{36}$/);
  const other = await createLinkToken(setting.simulator.url);
  const reopen = (linkToken) => page.evaluate((config) => window.create(config).open(), {
    token: linkToken,
    receivedRedirectUri: page.url(),
  });
  await reopen(other.link_token);
  assert.equal((await end(page, 'exit'))[0].error_code, 'INCORRECT_LINK_TOKEN');
  await page.evaluate(() => { window.handler.destroy(); window.told = []; });
  await reopen(token);
  await chooseAccounts(linkFrame(page));
  await finish(linkFrame(page));
  await end(page, 'success');
  await page.evaluate(() => { window.handler.destroy(); window.told = []; });
  await reopen(token);
  assert.equal((await end(page, 'exit'))[0].error_code, 'OAUTH_STATE_ID_ALREADY_PROCESSED');
  await page.evaluate(() => { window.handler.destroy(); window.told = []; });
  await page.evaluate((config) => window.create(config).open(), { token: other.link_token, receivedRedirectUri: setting.app.url });
  const [error] = await end(page, 'exit');
  assert.equal(error.error_message, 'oauth uri does not contain a valid oauth_state_id query parameter');
}, { userAgent: WEBVIEW, expected: [/status of 40[04]/] });

linkTest('where pop-ups are blocked and there is no way back, the person is told', 'oauth-blocked', async (page, context) => {
  await context.addInitScript(() => { window.open = () => null; });
  await page.reload();
  await openLink(page);
  const link = await chooseBank(page, OAUTH_BANK);
  await link.getByRole('button', { name: 'Continue to login' }).click();
  await link.getByRole('alert').getByText('allow pop-ups').waitFor();
  await leave(link);
  assert.equal((await end(page, 'exit'))[1].status, 'requires_oauth');
});

linkTest('where pop-ups are blocked, the bank takes the tab', 'oauth-blocked-tab', async (page, context) => {
  await context.addInitScript(() => { window.open = () => null; });
  await page.reload();
  await openLink(page, { country_codes: ['GB'], redirect_uri: `${setting.app.url}/back` });
  const link = await chooseBank(page, 'Flexible Platypus Open Banking');
  await link.getByRole('button', { name: 'Continue to login' }).click();
  await decideAtTheBank(page, 'Cancel');
  await page.waitForURL(/\/back\?oauth_state_id=/);
});

linkTest('Hosted Link sends the browser on after success and after leaving', 'hosted', async (page) => {
  const create = () => createLinkToken(setting.simulator.url, { hosted_link: { completion_redirect_uri: `${setting.app.url}/done` } });
  const first = await create();
  await page.goto(first.hosted_link_url);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'First Platypus Bank', exact: true }).click();
  await logIn(page);
  await chooseAccounts(page);
  await finish(page);
  await page.waitForURL(`${setting.app.url}/done`);
  const got = await callPlaid(setting.simulator.url, '/link/token/get', { link_token: first.link_token });
  const [{ results, events }] = got.link_sessions;
  assert.equal(events[0].event_name, 'HANDOFF');
  await callPlaid(setting.simulator.url, '/item/public_token/exchange', { public_token: results.item_add_results[0].public_token });
  await page.goto(first.hosted_link_url);
  await page.getByRole('heading', { name: 'does not work any more' }).waitFor();

  const second = await create();
  await page.goto(second.hosted_link_url);
  await page.getByRole('button', { name: 'Continue' }).waitFor();
  await leave(page);
  await page.waitForURL(`${setting.app.url}/done`);
}, { expected: [/status of 400/] });

for (const [way, userAgent] of [['a pop-up', undefined], ['the whole tab', WEBVIEW]]) {
  linkTest(`Hosted Link reaches a bank by ${way}`, `hosted-oauth-${userAgent ? 'tab' : 'popup'}`, async (page) => {
    const { hosted_link_url: url } = await createLinkToken(setting.simulator.url, { hosted_link: {} });
    await page.goto(url);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: OAUTH_BANK, exact: true }).click();
    if (userAgent) {
      await page.getByRole('button', { name: 'Continue to login' }).click();
      await page.waitForURL(/bank\.html/);
      await decideAtTheBank(page, 'Agree and continue');
      await page.waitForURL(/\/_simulator\/hosted\//);
    } else {
      await atTheBank(page, page, 'Agree and continue');
    }
    await chooseAccounts(page);
    await finish(page);
    await page.getByText('You can close this page').waitFor();
  }, userAgent ? { userAgent } : {});
}

// The broker's own page, its return page included, in both ways to a bank, on the simulator and as it is for real.
for (const [name, userAgent] of [['a pop-up', undefined], ['the whole tab', WEBVIEW]]) {
  test(`the broker on the simulator reaches a bank by ${name}`, { timeout: TIMEOUT_MS }, async () => {
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const broker = await startSimulatedBroker(`link-broker-${userAgent ? 'tab' : 'popup'}`, {
      APP_PORT: String(port),
      PUBLIC_URL: address,
      PLAID_LINK_REDIRECT_URI: `${address}/link/return`,
    });
    const emulator = await startEmulator({ broker: address, plaid: broker.simulatorUrl, client: SIMULATOR_KEYS });
    try {
      await throughTheBroker(emulator, [address], userAgent);
    } finally {
      await emulator.close();
      await broker.stop();
    }
  });

  test(`the broker with Link from cdn.plaid.com reaches a bank by ${name}`, { timeout: TIMEOUT_MS }, async () => {
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const emulator = await startEmulator({ plaid: setting.simulator.url, client: SIMULATOR_KEYS });
    const broker = await startSandboxBroker(`link-cdn-${userAgent ? 'tab' : 'popup'}`, setting.simulator.url, emulator.callbackUrl, {
      APP_PORT: String(port),
      PUBLIC_URL: address,
      PLAID_LINK_REDIRECT_URI: `${address}/link/return`,
    });
    emulator.settings.broker = address;
    try {
      await throughTheBroker(emulator, [address, 'https://cdn.plaid.com'], userAgent);
    } finally {
      await emulator.close();
      await broker.stop();
    }
  });
}

function throughTheBroker(emulator, origins, userAgent) {
  const slug = `link-broker-${origins.length}-${userAgent ? 'tab' : 'popup'}`;
  return inContext(setting.browser, slug, userAgent ? { userAgent } : {}, (page, context, watch) =>
    passOauthBank({ page, context, watch }, emulator, origins, userAgent));
}

async function passOauthBank({ page, context, watch }, emulator, origins, userAgent) {
  await serveLinkFromSimulator(context, setting.simulator.url);
  const { session, url } = emulator.start({ send: 'state,client_id,response_type' });
  await page.goto(url);
  await connectButton(page).click();
  const link = await chooseBank(page, OAUTH_BANK);
  if (userAgent) {
    await link.getByRole('button', { name: 'Continue to login' }).click();
    await page.waitForURL(/bank\.html/);
    await decideAtTheBank(page, 'Agree and continue');
    await page.waitForURL(/\/link\/return\?oauth_state_id=/);
  } else {
    await atTheBank(page, link, 'Agree and continue');
  }
  await chooseAccounts(linkFrame(page));
  await finish(linkFrame(page));
  const report = await reportOf(page, emulator, session);
  assert.deepEqual(report.problems, []);
  watch.assertClean([...origins, new URL(emulator.url).origin]);
}
