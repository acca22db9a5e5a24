// The simulator's Link as apps and people meet it: callbacks, questions, update mode, the embedded list, the keyboard and
// a narrow screen.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { callPlaid, createLinkToken, end, eventNames, told } from './helpers/app.mjs';
import { finish, leave, linkSetting, OAUTH_BANK, untilClosed } from './helpers/link-setting.mjs';
import { chooseAccounts, chooseBank, linkFrame, logIn } from './helpers/link.mjs';
import { SCREENSHOTS } from './helpers/output.mjs';

const setting = linkSetting('link');
const { linkTest, openLink } = setting;

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
  const { link_sessions: [session] } = await callPlaid(setting.simulator.url, '/link/token/get', { link_token: token });
  assert.equal(session.results.item_add_results[0].public_token, publicToken);
  assert.equal(await linkFrame(page).locator('body').isVisible(), false);
  await callPlaid(setting.simulator.url, '/item/public_token/exchange', { public_token: publicToken });
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
  const other = await createLinkToken(setting.simulator.url);
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
  await page.addScriptTag({ url: `${setting.simulator.url}/_simulator/link/link-initialize.js` });
  assert.match((await warned).text(), /more than once/);
});

linkTest('update mode heals and lets accounts be chosen', 'update', async (page) => {
  const { public_token: publicToken } = await callPlaid(setting.simulator.url, '/sandbox/public_token/create', {
    institution_id: 'ins_109508',
    initial_products: ['transactions'],
  });
  const { access_token: accessToken } = await callPlaid(setting.simulator.url, '/item/public_token/exchange', { public_token: publicToken });
  await callPlaid(setting.simulator.url, '/sandbox/item/reset_login', { access_token: accessToken });
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
  const { accounts } = await callPlaid(setting.simulator.url, '/accounts/get', { access_token: accessToken });
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
  const { link_token: token } = await createLinkToken(setting.simulator.url);
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
    const { hosted_link_url: url } = await createLinkToken(setting.simulator.url, { hosted_link: {} });
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
  await untilClosed(bank, () => press('Agree and continue', bank, bank));
  await page.bringToFront();
  await press('Continue');
  await press('Finish');
  await end(page, 'success');
});
