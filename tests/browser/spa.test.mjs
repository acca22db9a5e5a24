// OAuth clients without a secret, in a browser: a web page with a public client library, a page that has no business here,
// and an app with a scheme of its own.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { startSimulatedBroker } from './helpers/broker.mjs';
import { inContext, launchChromium } from './helpers/chromium.mjs';
import { completeLink, Jar } from './helpers/direct.mjs';
import { connectButton, passLink } from './helpers/link.mjs';
import { TIMEOUT_MS } from './helpers/setting.mjs';
import { startSpa } from './helpers/spa.mjs';

const APP = 'com.example.budget:/callback';

let browser;
let broker;
let issuer;
let spa;
let stranger;
before(async () => {
  spa = await startSpa();
  stranger = await startSpa();
  const clients = `
    [[client]]
    id = "spa"
    name = "Budget"
    public = true
    redirect_uris = ["${spa.url}/callback"]
    [[client]]
    id = "app"
    public = true
    redirect_uris = ["${APP}"]
  `;
  broker = await startSimulatedBroker('spa', { OAUTH_CLIENTS_FILE: 'clients.toml' }, { 'clients.toml': clients });
  // Another site than the pages', which are at 127.0.0.1.
  issuer = `http://localhost:${new URL(broker.url).port}`;
  spa.configure(issuer, 'spa');
  stranger.configure(issuer, 'spa');
  browser = await launchChromium();
}, { timeout: TIMEOUT_MS });
after(async () => {
  await browser?.close();
  await broker?.stop();
  await spa?.close();
  await stranger?.close();
}, { timeout: TIMEOUT_MS });

/** Runs `body` in a context of its own; afterwards nothing broke a policy or ended on the console but what is expected. */
function browserTest(title, slug, body, expected = []) {
  test(title, { timeout: TIMEOUT_MS }, () =>
    inContext(browser, `spa-${slug}`, {}, async (page, context, watch) => {
      await body(page, context);
      // A scheme of an app's own has the origin "null".
      watch.assertClean([issuer, spa.url, stranger.url, 'null'], expected);
    }));
}

/** A challenge with its verifier. */
function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

function authorizationUrl(client, redirectUri, challenge) {
  const url = new URL('/oauth/authorize', issuer);
  const query = { response_type: 'code', client_id: client, redirect_uri: redirectUri, state: 's', code_challenge: challenge, code_challenge_method: 'S256' };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** Redeems a code in the page; `null` when the page may not read the answer. Tokens stay in the page. */
function redeemInPage(page, form, type) {
  return page.evaluate(async ({ url, form, type }) => {
    const body = type === 'application/json' ? JSON.stringify(form) : new URLSearchParams(form).toString();
    try {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
      const answer = await response.json();
      return { status: response.status, error: answer.error ?? null, token: Boolean(answer.access_token) };
    } catch {
      return null;
    }
  }, { url: `${issuer}/oauth/token`, form, type });
}

browserTest('a page with oidc-client-ts connects, refreshes and revokes', 'library', async (page) => {
  await page.goto(spa.url);
  await page.getByRole('button', { name: 'Connect a bank' }).click();
  await connectButton(page).waitFor();
  await passLink(page);
  await page.waitForURL((url) => url.origin === spa.url && url.pathname === '/callback');
  await page.getByRole('status').filter({ hasText: /./ }).waitFor();
  assert.equal(await page.getByRole('status').textContent(), 'connected');

  const connected = await page.evaluate(async () => {
    const user = await window.manager.getUser();
    return { token: user.access_token.startsWith('access-sandbox-'), type: user.token_type, scope: user.scope.split(' ').sort() };
  });
  assert.deepEqual(connected, { token: true, type: 'Bearer', scope: ['auth', 'transactions'] });

  const refreshed = await page.evaluate(async () => {
    const earlier = await window.manager.getUser();
    const later = await window.manager.signinSilent();
    return { same: later.access_token === earlier.access_token, rotated: later.refresh_token !== earlier.refresh_token };
  });
  assert.deepEqual(refreshed, { same: true, rotated: true });

  const revoked = await page.evaluate(async () => {
    const { refresh_token: token } = await window.manager.getUser();
    await window.manager.revokeTokens();
    const url = await window.manager.metadataService.getTokenEndpoint();
    // JSON makes the browser ask first; the refusal can be read like a success.
    const body = JSON.stringify({ grant_type: 'refresh_token', client_id: 'spa', refresh_token: token });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return { status: response.status, error: (await response.json()).error };
  });
  assert.deepEqual(revoked, { status: 400, error: 'invalid_grant' });
}, [/status of 400/]);

browserTest('a page of another origin redeems nothing', 'stranger', async (page) => {
  const { verifier, challenge } = pkce();
  const redirectUri = `${spa.url}/callback`;
  const landed = await completeLink(new Jar(), authorizationUrl('spa', redirectUri, challenge), broker.simulatorUrl);
  const code = new URL(landed).searchParams.get('code');
  const form = { grant_type: 'authorization_code', client_id: 'spa', redirect_uri: redirectUri, code, code_verifier: verifier };

  await page.goto(stranger.url);
  for (const type of ['application/x-www-form-urlencoded', 'application/json']) {
    assert.equal(await redeemInPage(page, form, type), null, 'the stranger could read the answer');
  }
  const answered = page.waitForResponse(`${issuer}/oauth/token`);
  await page.evaluate(({ url, fields }) => {
    const sent = document.createElement('form');
    Object.assign(sent, { method: 'post', action: url });
    for (const [name, value] of Object.entries(fields)) sent.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(sent);
    sent.submit();
  }, { url: `${issuer}/oauth/token`, fields: form });
  assert.equal((await answered).status(), 400, 'a form of another site');
  await page.waitForURL(`${issuer}/oauth/token`);

  // None of that used the code up.
  await page.goto(spa.url);
  const redeemed = await redeemInPage(page, form, 'application/x-www-form-urlencoded');
  assert.deepEqual(redeemed, { status: 200, error: null, token: true });
}, [/blocked by CORS policy/, /net::ERR_FAILED/, /status of 40[05]/]);

browserTest('an app with a scheme of its own is named, and the page leads to it', 'scheme', async (page, context) => {
  const { challenge } = pkce();
  const session = await context.newCDPSession(page);
  await session.send('Page.enable');
  const asked = new Promise((resolve) => {
    session.on('Page.frameRequestedNavigation', ({ url }) => url.startsWith(APP) && resolve(url));
  });
  await page.goto(authorizationUrl('app', APP, challenge));
  await page.locator('.lead').filter({ hasText: 'com.example.budget' }).waitFor();
  await passLink(page);
  // Chromium knows no such app here, so the page stays; a person can press the link as well.
  const link = page.getByRole('link', { name: 'Continue' });
  await link.waitFor();
  const target = await link.getAttribute('href');
  assert.ok(target.startsWith(`${APP}?code=`), 'the link does not lead to the app');
  assert.equal(await asked, target, 'the page goes to the app by itself');
}, [/Failed to launch 'com\.example\.budget:/]);
