// The simulator's Link as apps and people meet it: callbacks, questions, banks with pages of their own, update mode,
// the embedded list and Hosted Link.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { callPlaid, createLinkToken, end, eventNames, startApp, told } from './helpers/app.mjs';
import { SIMULATOR_KEYS, startSandboxBroker, startSimulatedBroker, startSimulator } from './helpers/broker.mjs';
import { launchChromium, openContext, serveLinkFromSimulator } from './helpers/chromium.mjs';
import { chooseAccounts, chooseBank, connectButton, linkFrame, logIn } from './helpers/link.mjs';
import { SCREENSHOTS } from './helpers/output.mjs';
import { freePort } from './helpers/port.mjs';
import { reportOf, TIMEOUT_MS } from './helpers/setting.mjs';

// The user agent of Android's WebView, where window.open does nothing.
const WEBVIEW = 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36';
const OAUTH_BANK = 'Platypus OAuth Bank';

let simulator;
let app;
let browser;

before(async () => {
  simulator = await startSimulator('link-simulator');
  app = await startApp(`${simulator.url}/_simulator/link/link-initialize.js`);
  browser = await launchChromium();
}, { timeout: TIMEOUT_MS });

after(async () => {
  await browser?.close();
  await app?.close();
  await simulator?.stop();
}, { timeout: TIMEOUT_MS });

/** Runs `body` with an app's page and checks that nothing broke a policy or ended on the console. */
function linkTest(name, slug, body, { expected = [], ...options } = {}) {
  test(name, { timeout: TIMEOUT_MS }, async () => {
    const { context, watch } = await openContext(browser, `link-${slug}`, options);
    try {
      const page = await context.newPage();
      await page.goto(app.url);
      await body(page, context);
      watch.assertClean([app.url, simulator.url], expected);
    } finally {
      await context.close();
    }
  });
}

/** Opens Link in the app's page. */
async function openLink(page, changes = {}) {
  const { link_token: token } = await createLinkToken(simulator.url, changes);
  await page.evaluate((config) => window.create(config).open(), { token });
  return token;
}

async function leave(link) {
  await link.getByRole('button', { name: 'Close' }).click();
  await link.getByRole('button', { name: 'Yes, exit' }).click();
}

async function finish(link) {
  await link.getByRole('button', { name: 'Finish' }).click();
}

/** Goes to the bank's window and decides there. */
async function atTheBank(page, link, decision) {
  const opened = page.context().waitForEvent('page');
  await link.getByRole('button', { name: 'Continue to login' }).click();
  const bank = await opened;
  const closed = bank.waitForEvent('close');
  await decideAtTheBank(bank, decision);
  await closed;
}

async function decideAtTheBank(bank, decision) {
  await bank.getByRole('button', { name: 'Log in' }).click();
  await bank.getByRole('button', { name: decision }).click();
}

linkTest('callbacks come in order and with everything in them', 'callbacks', async (page) => {
  const token = await openLink(page);
  const link = await chooseBank(page);
  assert.deepEqual(await eventNames(page), ['OPEN'], 'only OPEN is told at once');
  await logIn(link);
  await chooseAccounts(link);
  await finish(link);
  const [publicToken, metadata] = await end(page, 'success');
  assert.match(publicToken, /^public-sandbox-/);
  assert.deepEqual(Object.keys(metadata).sort(), ['accounts', 'institution', 'link_session_id', 'transfer_status']);
  assert.deepEqual(metadata.institution, { name: 'First Platypus Bank', institution_id: 'ins_109508' });
  assert.deepEqual(await eventNames(page), [
    'OPEN', 'TRANSITION_VIEW', 'TRANSITION_VIEW', 'SELECT_INSTITUTION', 'TRANSITION_VIEW', 'SUBMIT_CREDENTIALS',
    'TRANSITION_VIEW', 'TRANSITION_VIEW', 'HANDOFF',
  ]);
  const [, connected] = (await told(page, 'event')).at(-2);
  assert.equal(connected.view_name, 'CONNECTED');
  assert.equal(connected.link_session_id, metadata.link_session_id);
  const all = await page.evaluate(() => window.told.map((one) => one.kind));
  assert.deepEqual([all[0], all.at(-1)], ['load', 'success']);
  const { link_sessions: [session] } = await callPlaid(simulator.url, '/link/token/get', { link_token: token });
  assert.equal(session.results.item_add_results[0].public_token, publicToken);
  assert.equal(await linkFrame(page).locator('body').isVisible(), false);
  await callPlaid(simulator.url, '/item/public_token/exchange', { public_token: publicToken });
});

/** The password, what is answered, and the exit status before the last answer. */
const QUESTIONS = {
  mfa_device: ['requires_code', async (link) => {
    await link.getByLabel('Text to').check();
    await link.getByRole('button', { name: 'Send code' }).click();
    await link.getByLabel('Code').fill('9999');
    await link.getByRole('button', { name: 'Submit' }).click();
    await link.getByRole('alert').getByText('not right').waitFor();
    await link.getByLabel('Code').fill('1234');
  }],
  mfa_questions_1_2: ['requires_questions', async (link) => {
    await link.getByLabel('Question 0-0').fill('answer_0_0');
    await link.getByLabel('Question 0-1').fill('answer_0_1');
  }],
  mfa_selections_1_1_3: ['requires_selections', async (link) => link.getByLabel('answer_0_0_0').check()],
};

for (const [password, [status, answer]] of Object.entries(QUESTIONS)) {
  linkTest(`a bank asks more: ${password}`, password, async (page) => {
    await openLink(page);
    let link = await chooseBank(page);
    await logIn(link, password);
    await answer(link);
    await leave(link);
    const [, metadata] = await end(page, 'exit');
    assert.equal(metadata.status, status);
    assert.deepEqual(Object.keys(metadata).sort(), ['institution', 'link_session_id', 'request_id', 'status']);
    await page.evaluate(() => window.handler.open());
    link = await chooseBank(page);
    await logIn(link, password);
    await answer(link);
    await link.getByRole('button', { name: 'Submit' }).click();
    await chooseAccounts(link);
    await finish(link);
    await end(page, 'success');
  });
}

linkTest('exit asks first unless it is forced, and destroy takes Link away', 'exit', async (page) => {
  await openLink(page);
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByLabel('Search').fill('no such bank');
  await link.getByRole('status').getByText('No bank found').waitFor();
  await page.evaluate(() => window.handler.exit());
  await link.getByRole('button', { name: 'No, stay' }).click();
  assert.deepEqual(await told(page, 'exit'), []);
  await page.evaluate(() => window.handler.exit({ force: true }));
  const [error, metadata] = await end(page, 'exit');
  assert.equal(error, null);
  assert.equal(metadata.status, 'institution_not_found');
  assert.equal((await eventNames(page)).at(-1), 'EXIT');
  await page.evaluate(() => window.handler.submit({ phone_number: '+14155550123' }));
  const other = await createLinkToken(simulator.url);
  await page.evaluate((token) => { window.other = window.Plaid.create({ token, onSuccess() {} }); }, other.link_token);
  assert.equal(await page.locator('iframe').count(), 2, 'handlers live side by side');
  await page.evaluate(() => { window.handler.destroy(); window.handler.destroy(); window.other.destroy(); });
  assert.equal(await page.locator('iframe').count(), 0);
});

linkTest('an unsupported bank and one that is down say so', 'bad-banks', async (page) => {
  await openLink(page);
  let link = await chooseBank(page, 'Unsupported Platypus Bank');
  await link.getByRole('alert').getByText('not supported').waitFor();
  await link.getByRole('button', { name: 'Choose another bank' }).click();
  await link.getByRole('button', { name: 'Unhealthy Platypus Bank - Down' }).click();
  await logIn(link);
  await link.getByText('INSTITUTION_DOWN').waitFor();
  await leave(link);
  const [error, metadata] = await end(page, 'exit');
  assert.equal(error.error_code, 'INSTITUTION_DOWN');
  assert.equal(metadata.status, 'requires_credentials');
  const names = await eventNames(page);
  assert.ok(names.indexOf('ERROR') < names.lastIndexOf('ERROR') && names.at(-1) === 'EXIT');
});

linkTest('too many wrong logins end the link token', 'locked', async (page) => {
  await openLink(page);
  const link = await chooseBank(page);
  for (let tries = 1; tries <= 6; tries += 1) {
    await logIn(link, 'wrong');
    if (tries === 6) break;
    await link.getByText(tries < 5 ? 'INVALID_CREDENTIALS' : 'ITEM_LOCKED').waitFor();
    await link.getByRole('button', { name: 'Try again' }).click();
  }
  const [error] = await end(page, 'exit');
  assert.equal(error.error_code, 'INVALID_LINK_TOKEN');
}, { expected: [/status of 400/] });

linkTest('a script that is loaded twice warns', 'twice', async (page) => {
  const warned = page.waitForEvent('console', (message) => message.type() === 'warning');
  await page.addScriptTag({ url: `${simulator.url}/_simulator/link/link-initialize.js` });
  assert.match((await warned).text(), /more than once/);
});

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
  const token = await openLink(page, { redirect_uri: `${app.url}/back` });
  const link = await chooseBank(page, OAUTH_BANK);
  await link.getByRole('button', { name: 'Continue to login' }).click();
  await page.waitForURL(/\/bank\.html/);
  await decideAtTheBank(page, 'Agree and continue');
  await page.waitForURL(/\/back\?oauth_state_id=[0-9a-f-]{36}$/);
  const other = await createLinkToken(simulator.url);
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
  await page.evaluate((config) => window.create(config).open(), { token: other.link_token, receivedRedirectUri: app.url });
  const [error] = await end(page, 'exit');
  assert.equal(error.error_message, 'oauth uri does not contain a valid oauth_state_id query parameter');
}, { userAgent: WEBVIEW, expected: [/status of 40[04]/] });

linkTest('update mode heals and lets accounts be chosen', 'update', async (page) => {
  const { public_token: publicToken } = await callPlaid(simulator.url, '/sandbox/public_token/create', {
    institution_id: 'ins_109508',
    initial_products: ['transactions'],
  });
  const { access_token: accessToken } = await callPlaid(simulator.url, '/item/public_token/exchange', { public_token: publicToken });
  await callPlaid(simulator.url, '/sandbox/item/reset_login', { access_token: accessToken });
  await openLink(page, { access_token: accessToken, update: { account_selection_enabled: true } });
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Continue' }).click();
  await logIn(link);
  await link.getByLabel('Plaid CD').uncheck();
  await link.getByRole('button', { name: 'Continue' }).click();
  await finish(link);
  await end(page, 'success');
  const [[, opened]] = await told(page, 'event');
  assert.equal(opened.is_update_mode, 'true');
  const { accounts } = await callPlaid(simulator.url, '/accounts/get', { access_token: accessToken });
  assert.ok(accounts.length > 1 && accounts.every(({ name }) => name !== 'Plaid CD'));
});

linkTest('one account, where the customization says so', 'single', async (page) => {
  await openLink(page, { link_customization_name: 'single_account' });
  const link = await chooseBank(page);
  await logIn(link);
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('alert').getByText('Select an account').waitFor();
  await link.getByRole('radio', { name: 'Plaid Saving' }).check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await finish(link);
  const [, { accounts }] = await end(page, 'success');
  assert.deepEqual(accounts.map(({ name }) => name), ['Plaid Saving']);
});

linkTest('the embedded list of banks stands in the page, and Link opens from it', 'embedded', async (page) => {
  const { link_token: token } = await createLinkToken(simulator.url);
  await page.locator('#before').focus();
  await page.evaluate((config) => window.embed(config), { token });
  const link = linkFrame(page);
  const bank = link.getByRole('button', { name: 'Tartan Bank', exact: true });
  await bank.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'before', 'the list takes no focus');
  await page.screenshot({ path: join(SCREENSHOTS, 'simulator-embedded.png') });
  await bank.click();
  await link.getByLabel('Username').waitFor();
  assert.equal(await page.locator('#before').evaluate((button) => button.inert), true, 'the page is covered');
  await leave(link);
  assert.equal((await end(page, 'exit'))[1].status, 'requires_credentials');
  await bank.click();
  await logIn(link);
  await chooseAccounts(link);
  await finish(link);
  await end(page, 'success');
  await page.evaluate(() => window.embedded.destroy());
  assert.equal(await page.locator('iframe').count(), 0);
});

linkTest('Hosted Link sends the browser on after success and after leaving', 'hosted', async (page) => {
  const create = () => createLinkToken(simulator.url, { hosted_link: { completion_redirect_uri: `${app.url}/done` } });
  const first = await create();
  await page.goto(first.hosted_link_url);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'First Platypus Bank', exact: true }).click();
  await logIn(page);
  await chooseAccounts(page);
  await finish(page);
  await page.waitForURL(`${app.url}/done`);
  const got = await callPlaid(simulator.url, '/link/token/get', { link_token: first.link_token });
  const [{ results, events }] = got.link_sessions;
  assert.equal(events[0].event_name, 'HANDOFF');
  await callPlaid(simulator.url, '/item/public_token/exchange', { public_token: results.item_add_results[0].public_token });
  await page.goto(first.hosted_link_url);
  await page.getByRole('heading', { name: 'does not work any more' }).waitFor();

  const second = await create();
  await page.goto(second.hosted_link_url);
  await page.getByRole('button', { name: 'Continue' }).waitFor();
  await leave(page);
  await page.waitForURL(`${app.url}/done`);
}, { expected: [/status of 400/] });

for (const [way, userAgent] of [['a pop-up', undefined], ['the whole tab', WEBVIEW]]) {
  linkTest(`Hosted Link reaches a bank by ${way}`, `hosted-oauth-${userAgent ? 'tab' : 'popup'}`, async (page) => {
    const { hosted_link_url: url } = await createLinkToken(simulator.url, { hosted_link: {} });
    await page.goto(url);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: OAUTH_BANK, exact: true }).click();
    if (userAgent) {
      await page.getByRole('button', { name: 'Continue to login' }).click();
      await page.waitForURL(/bank\.html/);
      await decideAtTheBank(page, 'Agree and continue');
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
    const emulator = await startEmulator({ plaid: simulator.url, client: SIMULATOR_KEYS });
    const broker = await startSandboxBroker(`link-cdn-${userAgent ? 'tab' : 'popup'}`, simulator.url, emulator.callbackUrl, {
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

async function throughTheBroker(emulator, origins, userAgent) {
  const slug = `link-broker-${origins.length}-${userAgent ? 'tab' : 'popup'}`;
  const { context, watch } = await openContext(browser, slug, userAgent ? { userAgent } : {});
  await serveLinkFromSimulator(context, simulator.url);
  const page = await context.newPage();
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
  await context.close();
}

for (const colorScheme of ['light', 'dark']) {
  linkTest(`every pane fits a narrow screen in ${colorScheme}`, `narrow-${colorScheme}`, async (page, context) => {
    const picture = (what, of = page) => of.screenshot({ path: join(SCREENSHOTS, `simulator-${what}-${colorScheme}.png`) });
    const assertFits = async (frame) => {
      const [content, width] = await frame.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= width, `${content} pixels wide in ${width}`);
    };
    const frameOf = () => page.frames().at(-1);
    const reopen = async () => {
      await page.evaluate(() => { window.told = []; window.handler.exit({ force: true }); });
      await end(page, 'exit');
      await page.evaluate(() => window.handler.open());
    };
    await openLink(page);
    const link = await chooseBank(page);
    for (const [password, slug] of [['mfa_device', 'device'], ['mfa_questions_1_2', 'questions'], ['mfa_selections_1_2_3', 'selections']]) {
      await logIn(link, password);
      await link.getByRole('heading', { name: 'Verify your identity' }).waitFor();
      await assertFits(frameOf());
      await picture(`mfa-${slug}`);
      await reopen();
      await chooseBank(page);
    }
    await logIn(link);
    await link.getByRole('heading', { name: 'Select accounts' }).waitFor();
    await assertFits(frameOf());
    await picture('accounts');
    await reopen();
    await chooseBank(page, OAUTH_BANK);
    await link.getByRole('button', { name: 'Continue to login' }).waitFor();
    await picture('oauth');
    const opened = context.waitForEvent('page');
    await link.getByRole('button', { name: 'Continue to login' }).click();
    const bank = await opened;
    await bank.setViewportSize({ width: 360, height: 740 });
    await bank.getByRole('button', { name: 'Log in' }).waitFor();
    await picture('bank-login', bank);
    await bank.getByRole('button', { name: 'Log in' }).click();
    await bank.getByRole('button', { name: 'Agree and continue' }).waitFor();
    await assertFits(bank);
    await picture('bank-consent', bank);
    const { hosted_link_url: url } = await createLinkToken(simulator.url, { hosted_link: {} });
    await page.goto(url);
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    await assertFits(page);
    await picture('hosted');
  }, { viewport: { width: 360, height: 740 }, colorScheme });
}

linkTest('the keyboard alone goes through a bank’s questions and its own page', 'keyboard', async (page, context) => {
  const tabTo = async (on, target, what) => {
    await target.waitFor();
    for (let presses = 0; presses < 40; presses += 1) {
      if (await target.evaluate((node) => node === node.ownerDocument.activeElement)) return;
      await on.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${what}`);
  };
  await openLink(page);
  const link = linkFrame(page);
  const press = async (name, on = page, from = link) => {
    await tabTo(on, from.getByRole('button', { name, exact: true }), name);
    await on.keyboard.press('Enter');
  };
  await press('Continue');
  await press(OAUTH_BANK);
  const opened = context.waitForEvent('page');
  await press('Continue to login');
  const bank = await opened;
  await press('Log in', bank, bank);
  const closed = bank.waitForEvent('close');
  await press('Agree and continue', bank, bank);
  await closed;
  await page.bringToFront();
  await press('Continue');
  await press('Finish');
  await end(page, 'success');
});
