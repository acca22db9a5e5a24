// Account numbers in the simulator's Link: Instant Match and micro-deposits, as a person goes through them.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { callPlaid, end, eventNames, told } from './helpers/app.mjs';
import { finish, leave, linkSetting } from './helpers/link-setting.mjs';
import { chooseBank, linkFrame, logIn } from './helpers/link.mjs';
import { SCREENSHOTS } from './helpers/output.mjs';

const setting = linkSetting('deposits');
const { linkTest, openLink } = setting;

const call = (path, body) => callPlaid(setting.simulator.url, path, body);

async function typeNumbers(link, routing, account = '1111222233330000', name = 'Alberta Charleson') {
  await link.getByLabel('Routing number').fill(routing);
  await link.getByLabel('Account number', { exact: true }).fill(account);
  if (name) await link.getByLabel('Your full name').fill(name);
  await link.getByRole('button', { name: 'Continue' }).click();
}

async function typeCode(link, code) {
  await link.getByLabel('Code', { exact: true }).fill(code);
  await link.getByRole('button', { name: 'Submit' }).click();
}

/** The metadata of onSuccess, and the access token. */
async function exchanged(page) {
  const [publicToken, metadata] = await end(page, 'success');
  const { access_token: accessToken } = await call('/item/public_token/exchange', { public_token: publicToken });
  return { metadata, accessToken };
}

/** The names of the views that Link says it showed, in order. */
async function views(page) {
  return (await told(page, 'event')).filter(([name]) => name === 'TRANSITION_VIEW').map(([, { view_name: view }]) => view);
}

linkTest('automated micro-deposits: login, one account, its numbers', 'automated', async (page) => {
  await openLink(page, { products: ['auth'], auth: { automated_microdeposits_enabled: true } });
  const link = await chooseBank(page, 'Houndstooth Bank');
  await logIn(link, 'microdeposits_good');
  await link.getByLabel('Plaid Checking').check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await typeNumbers(link, '011401533');
  await link.getByRole('alert').getByText('not right').waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, 'deposits-numbers.png') });
  await typeNumbers(link, '021000021');
  await link.getByText('on its way').waitFor();
  await finish(link);
  const { metadata, accessToken } = await exchanged(page);
  assert.equal(metadata.institution.name, 'Houndstooth Bank');
  assert.equal(metadata.accounts[0].verification_status, 'pending_automatic_verification');
  assert.deepEqual(await views(page), ['CONSENT', 'SELECT_INSTITUTION', 'CREDENTIAL', 'SELECT_ACCOUNT', 'NUMBERS', 'CONNECTED']);
  await call('/sandbox/item/set_verification_status', {
    access_token: accessToken,
    account_id: metadata.accounts[0].id,
    verification_status: 'automatically_verified',
  });
  const { numbers: { ach: [number] } } = await call('/auth/get', { access_token: accessToken });
  assert.deepEqual([number.routing, number.account], ['021000021', '1111222233330000']);
});

linkTest('same-day micro-deposits: numbers, and later the code', 'same-day', async (page) => {
  await openLink(page, { products: ['auth'], auth: { same_day_microdeposits_enabled: true } });
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByLabel('Search').fill('no such bank');
  await link.getByRole('status').getByText('No bank found').waitFor();
  await link.getByRole('button', { name: 'Link with account numbers' }).click();
  await link.getByLabel('Savings').check();
  await typeNumbers(link, '110000000');
  await link.getByText('Come back with the code').waitFor();
  await finish(link);
  const { metadata, accessToken } = await exchanged(page);
  assert.equal(metadata.institution, null);
  assert.equal(metadata.accounts[0].name, 'Savings...0000');
  assert.equal(metadata.accounts[0].verification_status, 'pending_manual_verification');
  assert.deepEqual(await views(page), [
    'CONSENT', 'SELECT_INSTITUTION', 'NUMBERS', 'SAME_DAY_MICRODEPOSIT_AUTHORIZED', 'CONNECTED',
  ]);

  await page.reload();
  await openLink(page, { access_token: accessToken });
  await typeCode(link, 'xyz');
  await link.getByRole('alert').getByText('two more tries').waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, 'deposits-code.png') });
  await typeCode(link, 'abc');
  await finish(link);
  const [, verified] = await end(page, 'success');
  assert.equal(verified.accounts[0].verification_status, 'manually_verified');
  const { item } = await call('/item/get', { access_token: accessToken });
  assert.deepEqual([item.institution_id, item.auth_method], [null, 'SAME_DAY_MICRODEPOSITS']);
  await call('/auth/get', { access_token: accessToken });

  await page.reload();
  await openLink(page, { access_token: accessToken });
  await end(page, 'success');
  assert.deepEqual(await eventNames(page), ['OPEN', 'TRANSITION_VIEW', 'HANDOFF'], 'it closes by itself');
});

linkTest('three wrong codes lock the account', 'locked', async (page) => {
  await openLink(page, { products: ['auth'], auth: { same_day_microdeposits_enabled: true, auth_type_select_enabled: true } });
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'Manually' }).click();
  await typeNumbers(link, '110000000');
  await finish(link);
  const { accessToken } = await exchanged(page);
  await page.reload();
  await openLink(page, { access_token: accessToken });
  for (const left of ['two more tries', 'one more try', 'too often']) {
    await typeCode(link, 'XYZ');
    await link.getByRole('alert').getByText(left).waitFor();
  }
  await leave(link);
  const [error] = await end(page, 'exit');
  assert.equal(error.error_code, 'TOO_MANY_VERIFICATION_ATTEMPTS');
  const { accounts: [account] } = await call('/accounts/get', { access_token: accessToken });
  assert.equal(account.verification_status, 'verification_failed');
});

linkTest('instant micro-deposits: numbers and the code in one run', 'instant', async (page) => {
  await openLink(page, { products: ['auth'], auth: { instant_microdeposits_enabled: true } });
  const link = await chooseBank(page, 'Windowpane Bank');
  await typeNumbers(link, '333333334');
  await typeCode(link, 'ABC');
  await finish(link);
  const { metadata, accessToken } = await exchanged(page);
  assert.equal(metadata.accounts[0].verification_status, 'manually_verified');
  assert.deepEqual(await views(page), [
    'CONSENT', 'SELECT_INSTITUTION', 'NUMBERS', 'INSTANT_MICRODEPOSIT_AUTHORIZED', 'CONNECTED',
  ]);
  const { item } = await call('/auth/get', { access_token: accessToken });
  assert.equal(item.auth_method, 'INSTANT_MICRODEPOSITS');
});

linkTest('Instant Match: the numbers of the account that the bank tells', 'match', async (page) => {
  await openLink(page, { products: ['auth', 'transactions'] });
  const link = await chooseBank(page, 'Houndstooth Bank');
  await logIn(link);
  await link.getByLabel('Plaid Saving').check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await typeNumbers(link, '021000021', '1111222233331111', null);
  await finish(link);
  const { metadata } = await exchanged(page);
  assert.equal(metadata.accounts[0].verification_status, null);
});
