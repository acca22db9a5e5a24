// The set-up page: its values, the callbacks that are allowed there, and the requests as they come.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { adminLink, openSetup, request } from './helpers/admin.mjs';
import { SIMULATOR_KEYS, startSandboxBroker, startSimulator } from './helpers/broker.mjs';
import { inContext, launchChromium } from './helpers/chromium.mjs';
import { authorize } from './helpers/direct.mjs';
import { keepPage, SCREENSHOTS } from './helpers/output.mjs';
import { TIMEOUT_MS } from './helpers/setting.mjs';

const KORE = 'https://idp.kore.com/workflows/callback';
const setting = {};

before(async () => {
  setting.simulator = await startSimulator('setup-simulator');
  setting.directory = await mkdtemp(join(tmpdir(), 'plaid-token-broker-setup-'));
  setting.start = () =>
    startSandboxBroker('setup', setting.simulator.url, KORE, {
      OAUTH_CLIENT_AUTH: 'required',
      BROKER_RATE_LIMIT: 'off',
      DATABASE_URL: `sqlite://${setting.directory}/broker.db`,
    });
  setting.broker = await setting.start();
  setting.emulator = await startEmulator({ broker: setting.broker.url, plaid: setting.simulator.url, client: SIMULATOR_KEYS });
  setting.browser = await launchChromium();
}, { timeout: TIMEOUT_MS });
after(async () => {
  await setting.browser?.close();
  await setting.emulator?.close();
  await setting.broker?.stop();
  await setting.simulator?.stop();
  await rm(setting.directory, { recursive: true, force: true });
}, { timeout: TIMEOUT_MS });

/** Runs `body` on the set-up page in a context of its own, and checks that the page kept to its policy. */
async function onSetup(name, body, options = {}, expected = []) {
  setting.broker = await freshLink(setting.broker);
  await inContext(setting.browser, `setup-${name}`, options, async (page, context, watch) => {
    await openSetup(page, setting.broker);
    await body(page, context);
    watch.assertClean([new URL(setting.broker.url).origin], expected);
  });
}

/** A link works once: each test but the first has a broker of its own, with the same data. */
async function freshLink(broker) {
  if (!broker.used) return Object.assign(broker, { used: true });
  await broker.stop();
  const next = await setting.start();
  setting.emulator.settings.broker = next.url;
  return Object.assign(next, { used: true });
}

function authorizationUrl(changes = {}) {
  const query = { response_type: 'code', client_id: SIMULATOR_KEYS.id, redirect_uri: KORE, state: 's', ...changes };
  return new URL(`/?${new URLSearchParams(query)}`, setting.broker.url);
}

const form = (fields) => ({ method: 'POST', body: new URLSearchParams({ client_id: SIMULATOR_KEYS.id, client_secret: SIMULATOR_KEYS.secret, ...fields }) });
const atTokenUrl = (options) => fetch(new URL('/api/send_the_access_token_AUTH', setting.broker.url), { redirect: 'manual', ...options });
const atAuthorizationUrl = (changes) => fetch(authorizationUrl(changes), { redirect: 'manual' });

test('each value can be copied, and all of them as Markdown', { timeout: TIMEOUT_MS }, () =>
  onSetup('values', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: setting.broker.url });
    const base = await page.locator('#others code.value').first().textContent();
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    const issuer = new URL(base).origin;
    for (const [name, value] of [
      ['Client ID', SIMULATOR_KEYS.id],
      ['Authorization URL', `${issuer}/`],
      ['Token Request URL', `${issuer}/api/send_the_access_token_AUTH`],
      ['Refresh Token URL', `${issuer}/api/send_the_access_token_AUTH`],
      ['Tenancy URL', 'https://{tenant}.plaid.com'],
      ['Tenant', 'sandbox'],
      ['Payload access_token', '{{accessToken}}'],
      ['Header PLAID-CLIENT-ID', SIMULATOR_KEYS.id],
    ]) {
      await page.locator('#values').getByRole('button', { name: `Copy ${name}`, exact: true }).click();
      await page.getByText(`${name} copied`, { exact: true }).waitFor({ state: 'attached' });
      assert.equal(await copied(), value, name);
    }
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.getByText('The profile copied').waitFor({ state: 'attached' });
    const markdown = await copied();
    assert.match(markdown, /^\| Authorization URL \| `http\S+\/` \|  \|$/m);
    assert.match(markdown, /^\| Header \| `PLAID-SECRET` \| your Plaid secret \(PLAID_SECRET\) \| Add it\. \|$/m);
    // Kore.ai's own form: the page "Setting Up Authorization using OAuth v2" of its documentation.
    const order = [
      'Authorization Type', 'Callback Link', 'Identity Provider Name', 'Client ID', 'Client Secret Key', 'Authorization URL',
      'Access Using a Connector', 'Token Request URL', 'Scope', 'Refresh Token URL', 'Description', 'Subdomain', 'Tenancy URL',
      'Additional Fields', 'Payload access_token', 'Header PLAID-CLIENT-ID', 'Header PLAID-SECRET', 'Tenant',
    ];
    assert.deepEqual((await page.locator('#values dt').allTextContents()).map((text) => text.trim()), order);
    const inMarkdown = [...markdown.matchAll(/^\| (?!Field|---)([^|]+) \| ([^|]+) \|/gm)].map(([, first, second]) =>
      ['Payload', 'Header'].includes(first) ? `${first} ${second.replaceAll('`', '')}` : first);
    assert.deepEqual(inMarkdown, order);
    const said = (field) => page.locator('#values div').filter({ has: page.locator('dt', { hasText: field }) }).first().locator('dd').textContent();
    assert.match(await said('Subdomain'), /^Yes/);
    assert.match(await said('Scope'), /key scope, value the names of the products, separated by spaces/);
    assert.match(await said('access_token'), /named Authorization already, edit that one.*Otherwise add it/);
    for (const callback of ['https://idp.kore.ai/workflows/callback/', 'https://idp.kore.com/workflows/callback']) {
      assert.ok((await said('Callback Link')).includes(`${callback} `), callback);
    }
    assert.ok(!markdown.includes(SIMULATOR_KEYS.secret) && !(await page.content()).includes(SIMULATOR_KEYS.secret), 'the secret is shown');
    await keepPage(page, 'setup-values');
  }));

test('a profile that is wrong in so many ways: each cause is named', { timeout: 2 * TIMEOUT_MS }, () =>
  onSetup('mistakes', async (page) => {
    const allow = (uri) => page.evaluate(async ([callback, client]) => {
      const proof = document.querySelector('[name=proof]').value;
      const body = new URLSearchParams({ proof, client_id: client, redirect_uri: callback, act: 'allow' });
      return (await fetch('setup/callbacks', { method: 'POST', body })).status;
    }, [uri, SIMULATOR_KEYS.id]);
    assert.equal(await allow(setting.emulator.callbackUrl), 200);
    /** A code as the emulated client gets one; it redeems it as its settings say. */
    const emulate = async (changes, shape = 'form-body-grant-redirect', options = {}) => {
      const right = setting.emulator.settings;
      setting.emulator.settings = { ...right, ...changes };
      try {
        await authorize(setting.emulator.start({ shape, ...options }).url, setting.simulator.url);
      } finally {
        setting.emulator.settings = right;
      }
    };
    const id = SIMULATOR_KEYS.id;
    const mistakes = [
      ['a slash too many', () => atAuthorizationUrl({ redirect_uri: `${KORE}/` }), 'ended with a slash that the one on the list does not have'],
      ['http', () => atAuthorizationUrl({ redirect_uri: KORE.replace('https', 'http') }), 'begins with http: and not with https:'],
      ['another region', () => atAuthorizationUrl({ redirect_uri: KORE.replace('idp.kore.com', 'de-bots-idp.kore.ai') }), 'Kore.ai has one for each region'],
      ['another account', () => atAuthorizationUrl({ client_id: '0123456789abcdef01234567' }), 'client id of another Plaid account'],
      ['response_type', () => atAuthorizationUrl({ response_type: 'token' }), 'response_type was token'],
      ['two states', () => fetch(`${authorizationUrl()}&state=other`, { redirect: 'manual' }), "'state' was sent more than once with different values"],
      ['a wrong secret', () => emulate({ client: { id, secret: 'wrong' } }), 'the client secret was wrong'],
      ['no secret', () => emulate({}, 'form-id-grant'), 'client authentication is required'],
      ['the header contradicts', () => atTokenUrl({ ...form({ code: 'x' }), headers: { 'plaid-secret': 'another' } }), 'PLAID-SECRET contradicts'],
      ['the header alone, wrong', () => emulate({ client: { id, secret: 'wrong' } }, 'json-headers-grant'), 'the secret in the header PLAID-SECRET was wrong'],
      ['a code twice', () => emulate({}, 'form-body-grant', { replay: '1' }), 'the code was used before'],
      ['GET', () => atTokenUrl({ method: 'GET' }), 'called by GET, and takes POST'],
      ['XML', () => atTokenUrl({ method: 'POST', headers: { 'content-type': 'application/xml' }, body: '<code/>' }), 'application/x-www-form-urlencoded or application/json'],
      ['an access token', () => atTokenUrl(form({ grant_type: 'refresh_token', refresh_token: 'access-sandbox-x' })), 'refresh_token is an access token of Plaid'],
      ['a code of elsewhere', () => atTokenUrl(form({ code: 'abc' })), 'code is something that this broker never made'],
      ['grant_type', () => atTokenUrl(form({ grant_type: 'client_credentials' })), 'use grant_type=authorization_code'],
      ['a mistyped Authorization URL', () => fetch(new URL('/oauth/authorise?state=s', setting.broker.url)), '/oauth/authorize was probably meant'],
      ['a mistyped Token request URL', () => emulate({ tokenPath: '/api/send_the_access_token' }), '/api/send_the_access_token_AUTH was probably meant'],
      ['the Authorization URL as Token request URL', () => emulate({ tokenPath: '/' }), 'posted to the Authorization URL'],
    ];
    for (const [what, make, words] of mistakes) {
      await make();
      const entry = request(page, words);
      await entry.waitFor().catch(() => assert.fail(`${what}: "${words}" does not appear`));
      assert.equal(await entry.getAttribute('data-outcome'), 'refused', what);
      assert.notEqual((await entry.locator('.fix').textContent()).trim(), '', `${what}: no fix`);
    }
    await keepPage(page, 'setup-mistakes');
    await page.screenshot({ path: join(SCREENSHOTS, 'setup-requests.png'), fullPage: true });

    const shown = () => page.locator('#entries > li:visible').count();
    const all = await shown();
    await page.locator('#filter select').selectOption('unknown');
    const unknown = await shown();
    assert.ok(unknown > 0 && unknown < all, `${unknown} of ${all}`);
    await page.locator('#filter select').selectOption('');
    await page.getByLabel('refused only').check();
    assert.ok((await shown()) < all);
  }, { viewport: { width: 1280, height: 800 } }));

test('a refused callback is allowed, taken, kept over a restart, and taken back', { timeout: 2 * TIMEOUT_MS }, async () => {
  const callback = setting.emulator.callbackUrl.replace('127.0.0.1', 'localhost');
  const attempt = () => atAuthorizationUrl({ redirect_uri: callback });
  await onSetup('allow', async (page) => {
    assert.equal((await attempt()).status, 400);
    const button = page.getByRole('button', { name: `Allow ${callback}`, exact: true });
    await button.click();
    await page.getByText('The callback is allowed from now on').waitFor();
    assert.equal(await button.count(), 0);
    assert.equal((await attempt()).status, 200);
  });
  await onSetup('take-back', async (page) => {
    assert.equal((await attempt()).status, 200, 'it survives a restart');
    await page.getByRole('button', { name: `Remove ${callback}`, exact: true }).click();
    await page.getByText('The callback was removed').waitFor();
    assert.equal((await attempt()).status, 400);
  });
});

test('the requests pause, and go on after the connection was lost', { timeout: TIMEOUT_MS }, () =>
  onSetup('live', async (page, context) => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await atTokenUrl(form({ code: 'one' }));
    await page.getByText('Paused: 1 waiting.').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await request(page, 'never made').waitFor();

    await context.setOffline(true);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await atTokenUrl({ method: 'GET' });
    await context.setOffline(false);
    await request(page, 'called by GET').waitFor();
    assert.equal(await page.locator('#entries > li').count(), 2, 'nothing is shown twice');
  }, {}, [/ERR_INTERNET_DISCONNECTED/]));

test('the checks run, and what needs a look stands first, in the same order each time', { timeout: 2 * TIMEOUT_MS }, () =>
  onSetup('checks', async (page) => {
    // Enabled again when the checks have ended.
    const again = page.getByRole('button', { name: 'Check again' });
    await again.and(page.locator(':enabled')).waitFor({ timeout: TIMEOUT_MS });
    const findings = page.locator('#findings > li');
    const shown = () => findings.evaluateAll((all) => all.map(({ dataset }) => [dataset.status, Number(dataset.place), dataset.id]));
    const rank = (status) => ({ failed: 0, warning: 1 })[status] ?? 2;
    /** All findings in their order; gives their names, sorted. */
    const assertInOrder = (all) => {
      assert.ok(all.length > 20, `${all}`);
      assert.deepEqual(all, [...all].sort(([one, at], [other, otherAt]) => rank(one) - rank(other) || at - otherAt));
      return all.map(([, , id]) => id).sort();
    };
    const first = await shown();
    const names = assertInOrder(first);
    assert.ok(first.some(([status]) => rank(status) < 2) && first.some(([status]) => rank(status) === 2), `${first}`);
    await page.locator('#findings > li[data-id="plaid_keys"][data-status="ok"]').waitFor();
    for (const failed of await page.locator('#findings > li[data-status="failed"]').all()) {
      assert.notEqual((await failed.locator('.fix').textContent()).trim(), '');
    }
    const asked = page.waitForRequest(/\/setup\/checks\?/);
    await again.click();
    await asked;
    await again.and(page.locator(':enabled')).waitFor({ timeout: TIMEOUT_MS });
    // What was found may differ, as the machine's free space does.
    assert.deepEqual(assertInOrder(await shown()), names);
    // As if it had been reached by another address.
    const told = await page.evaluate(async () => (await fetch('setup/checks?at=https%3A%2F%2Felsewhere.example')).text());
    const finding = told.split('\n').find((line) => line.includes('"public_url_visit"'));
    assert.match(finding, /"status":"(warning|failed)"/);
  }));

for (const [size, viewport] of [['narrow', { width: 360, height: 740 }], ['wide', { width: 1280, height: 800 }]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the page in ${size} and ${colorScheme}`, { timeout: 2 * TIMEOUT_MS }, () =>
      onSetup(`${size}-${colorScheme}`, async (page) => {
        await atAuthorizationUrl({ redirect_uri: `${KORE}/` });
        await request(page, 'ended with a slash').waitFor();
        await page.locator('details').evaluateAll((all) => all.forEach((one) => (one.open = true)));
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        await page.screenshot({ path: join(SCREENSHOTS, `setup-${size}-${colorScheme}.png`), fullPage: true });
        assert.ok(content <= window, `the page is ${content} pixels wide in a window of ${window}`);
        assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
        assert.equal(await page.getByRole('button').filter({ hasNotText: /\S/ }).count(), 0, 'every button has a name');
      }, { viewport, colorScheme }));
  }
}

test('without JavaScript the values, the requests and Allow are there', { timeout: TIMEOUT_MS }, async () => {
  setting.broker = await freshLink(setting.broker);
  await inContext(setting.browser, 'setup-no-js', { javaScriptEnabled: false }, withoutScripts);
});

async function withoutScripts(page) {
  await page.goto(await adminLink(setting.broker));
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('https://{tenant}.plaid.com').first().waitFor();
  await atAuthorizationUrl({ redirect_uri: `${KORE}/` });
  await page.reload();
  await page.locator('#entries').getByText('ended with a slash').waitFor();
  await page.getByRole('button', { name: `Allow ${KORE}/`, exact: true }).click();
  await page.getByText('The callback is allowed from now on').waitFor();
  await page.getByRole('button', { name: `Remove ${KORE}/`, exact: true }).click();
}

test('the page stays closed to everybody else', { timeout: TIMEOUT_MS }, async () => {
  const at = (path, options) => fetch(new URL(path, setting.broker.url), { redirect: 'manual', ...options });
  for (const path of ['/setup/record', '/setup/checks', '/setup/profile.md']) assert.equal((await at(path)).status, 401, path);
  assert.equal((await at('/setup', { headers: { accept: 'text/html' } })).status, 303);
  const body = new URLSearchParams({ act: 'allow', client_id: SIMULATOR_KEYS.id, redirect_uri: 'https://evil.example/' });
  assert.equal((await at('/setup/callbacks', { method: 'POST', body })).status, 401);
});

test('the rehearsal tells each step, and leaves no Item behind', { timeout: 2 * TIMEOUT_MS }, () =>
  onSetup('rehearsal', async (page) => {
    const section = page.locator('#rehearsal');
    // Other tests of this file have connected banks, whose Items stay or are removed meanwhile.
    const items = async () => {
      const state = await (await fetch(new URL('/_simulator/state', setting.simulator.url))).json();
      return state.items.filter((item) => !item.removed).map((item) => item.item_id);
    };
    const before = new Set(await items());
    await section.getByRole('button', { name: 'Rehearse' }).click();
    await section.getByText('All good.').waitFor({ timeout: 2 * TIMEOUT_MS });
    const steps = section.locator('#steps > li');
    assert.ok((await steps.count()) > 25, 'every step is told');
    assert.equal(await section.locator('#steps > li:not([data-status="ok"])').count(), 0);
    await steps.filter({ hasText: 'real-time balance' }).waitFor();
    assert.equal(await section.getByRole('button', { name: 'Rehearse' }).isEnabled(), true);
    assert.deepEqual((await items()).filter((item) => !before.has(item)), []);
    await keepPage(page, 'setup-rehearsal');
  }));
