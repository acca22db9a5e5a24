// The main job on the simulator, in a browser: from the Authorization URL to Plaid's data and the refresh.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inContext } from './helpers/chromium.mjs';
import { chooseAccounts, chooseBank, closing, connectButton, linkFrame, logIn, passLink } from './helpers/link.mjs';
import { keepPage } from './helpers/output.mjs';
import { reportOf, simulatedSetting, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = simulatedSetting('flow');

/** Runs `body` in a browser context of its own and checks that the page kept to its policy, without a console error. */
function browserTest(name, slug, body, expectedErrors = []) {
  test(name, { timeout: TIMEOUT_MS }, () =>
    inContext(setting.browser, `flow-${slug}`, {}, async (page, context, watch) => {
      await body(page, context);
      watch.assertClean([setting.broker.url, setting.emulator.url].map((url) => new URL(url).origin), expectedErrors);
    }));
}

/** The requests that Kore.ai may make, each with another token request. `send` is what comes beside redirect_uri. */
const REQUESTS = {
  'everything that OAuth asks for': { send: 'state,client_id,response_type,scope', shape: 'form-basic-grant-redirect', replay: '1' },
  'redirect_uri alone': { send: '', shape: 'json-headers' },
  'a state and nothing else': { send: 'state', shape: 'form-body-grant' },
  'parameters typed into the URL and repeated': { send: 'state,client_id,response_type', preset: 'state,response_type', shape: 'json-body-grant-redirect' },
};

for (const [name, options] of Object.entries(REQUESTS)) {
  const slug = name.replaceAll(/[^a-z]+/gi, '-');
  browserTest(`an OAuth client sends ${name}`, slug, async (page) => {
    const { session, url } = setting.emulator.start(options);
    await page.goto(url);
    await connectButton(page).waitFor();
    await keepPage(page, `flow-${slug}-link-page`);
    await passLink(page);
    const report = await reportOf(page, setting.emulator, session);
    assert.deepEqual(report.problems, []);
    assert.equal(report.callback.state, options.send.includes('state') ? 'unchanged' : 'absent');
    assert.ok(report.callback.iss, 'iss is missing (RFC 9207)');
    assert.equal(report.token.expires_in, undefined, 'the access token does not expire');
    assert.ok(report.refresh.same_refresh_token, 'a confidential client keeps its refresh token');
    assert.ok(report.balance_after_refresh.accounts > 0);
  });
}

browserTest('a person who connects with the default products can use each of the actions', 'actions', async (page) => {
  const { session, url } = setting.emulator.start({ actions: '1' });
  await page.goto(url);
  await passLink(page);
  const report = await reportOf(page, setting.emulator, session);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(report.actions, {
    'real-time balance': null,
    'investment holdings': null,
    'investment transactions': null,
    liabilities: null,
  });
});

browserTest('a pop-up keeps its opener', 'popup', async (page, context) => {
  const { session, url } = setting.emulator.start({}, '/start-popup');
  await page.goto(url);
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Authorize' }).click();
  const popup = await opened;
  const closed = closing(popup);
  await passLink(popup);
  await closed;
  await page.getByRole('status').filter({ hasText: 'connected' }).waitFor();
  assert.deepEqual(setting.emulator.report(session).problems, []);
});

// Chromium reports every answer of 400 on the console: the simulator's Link gets one for the wrong password.
browserTest('wrong credentials are told in Link, and right ones go through', 'wrong-credentials', async (page) => {
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await connectButton(page).click();
  const link = await chooseBank(page);
  await logIn(link, 'pass_wrong');
  await link.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await link.getByRole('button', { name: 'Try again' }).click();
  await logIn(link);
  await chooseAccounts(link);
  await link.getByRole('button', { name: 'Finish' }).click();
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
}, [/status of 400/]);

/** Leaves Link from the pane that is open. */
async function leaveLink(page) {
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Close' }).click();
  await link.getByRole('button', { name: 'Yes, exit' }).click();
  await page.locator('#link[data-state="left"]').waitFor();
}

browserTest('who leaves Link can come back', 'left-and-back', async (page) => {
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await connectButton(page).click();
  await chooseBank(page);
  await leaveLink(page);
  await keepPage(page, 'flow-left');
  await passLink(page);
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
});

browserTest('who cancels is sent back with access_denied and the state', 'cancel', async (page) => {
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await connectButton(page).click();
  await chooseBank(page);
  await leaveLink(page);
  await page.getByRole('button', { name: /^Cancel/ }).click();
  const report = await reportOf(page, setting.emulator, session);
  assert.equal(report.callback.error, 'access_denied');
  assert.equal(report.callback.state, 'unchanged');
  assert.deepEqual(report.problems, []);
});

browserTest('without OAuth parameters a person connects a bank and sees it', 'browser-login', async (page) => {
  await page.goto(setting.broker.url);
  await passLink(page);
  await page.waitForURL(/\/explorer$/);
  await page.getByRole('heading', { name: /First Platypus Bank/ }).waitFor();
  await page.getByText('Plaid Checking').waitFor();
  assert.doesNotMatch(await page.content(), /access-(sandbox|production)-/, 'no access token in the page');
  await keepPage(page, 'flow-explorer');
});
