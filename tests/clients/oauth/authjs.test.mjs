// The provider that docs/setup.md has for Auth.js, in Auth.js 5 (@auth/core) and in next-auth 4, both unmodified.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { Auth, skipCSRFCheck } from '@auth/core';

import { CLIENT, startSetting } from './setting.mjs';

// Its package exports only the handlers for Next.js, which are this one with another form of request.
const { AuthHandler } = createRequire(import.meta.url)('./node_modules/next-auth/core/index.js');

// Nobody listens there.
const APP = 'http://127.0.0.1:9';
const OPTIONS = { secret: 'of these tests alone', logger: { error() {}, warn() {}, debug() {} } };

let setting;
let provider;
before(async () => {
  setting = await startSetting('authjs', { PLAID_REDIRECT_URI: `${APP}/api/auth/callback/plaid` });
  const document = await readFile(new URL('../../../docs/setup.md', import.meta.url), 'utf8');
  const [, code] = document.split('### Auth.js')[1].match(/```js\n(.*?)```/s);
  Object.assign(process.env, {
    PLAID_BROKER_URL: setting.issuer,
    PLAID_BROKER_CLIENT_ID: CLIENT.id,
    PLAID_BROKER_CLIENT_SECRET: CLIENT.secret,
  });
  ({ plaid: provider } = await import(`data:text/javascript,${encodeURIComponent(code)}`));
});
after(() => setting?.stop());

/** Options whose `jwt` callback keeps what the app gets, as the document says. */
function keeping(changes) {
  const kept = {};
  const jwt = ({ token, account }) => {
    if (account) Object.assign(kept, account);
    return token;
  };
  return { kept, options: { ...OPTIONS, providers: [{ ...provider, ...changes }], callbacks: { jwt } } };
}

/** Auth.js 5: signs in and returns where the browser is sent at the end. */
async function five(options) {
  const config = { ...options, basePath: '/api/auth', trustHost: true, skipCSRFCheck };
  const signIn = await Auth(new Request(`${APP}/api/auth/signin/plaid`, { method: 'POST', body: new URLSearchParams() }), config);
  const cookie = signIn.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  const landed = await setting.connect(signIn.headers.get('location'));
  const end = await Auth(new Request(landed, { headers: { cookie } }), config);
  return end.headers.get('location');
}

/** next-auth 4: the same. */
async function four(options) {
  process.env.NEXTAUTH_URL = APP;
  const cookies = {};
  const handle = async (req) => {
    const answer = await AuthHandler({ req: { headers: {}, query: {}, cookies, ...req }, options });
    for (const { name, value } of answer.cookies ?? []) cookies[name] = value;
    return answer;
  };
  const { csrfToken } = (await handle({ action: 'csrf', method: 'GET' })).body;
  const signIn = await handle({ action: 'signin', providerId: 'plaid', method: 'POST', body: { csrfToken, callbackUrl: APP } });
  const landed = await setting.connect(signIn.redirect);
  const query = Object.fromEntries(landed.searchParams);
  return (await handle({ action: 'callback', providerId: 'plaid', method: 'GET', query })).redirect;
}

for (const [name, signIn] of [['Auth.js 5', five], ['next-auth 4', four]]) {
  test(`${name} signs in with the provider of the document`, async () => {
    const { kept, options } = keeping({});
    const end = await signIn(options);
    assert.equal(new URL(end, APP).searchParams.get('error'), null, end);
    // Never by assert.match, whose message would show the token.
    assert.ok(/^access-sandbox-/.test(kept.access_token), 'no access token of Plaid');
    assert.ok(kept.refresh_token, 'no refresh token');
    assert.equal(kept.scope, 'transactions');
    assert.ok(kept.providerAccountId, 'no id of the Item');
  });

  test(`${name} refuses a callback of another issuer`, async () => {
    const { kept, options } = keeping({ issuer: 'https://elsewhere.example' });
    const end = await signIn(options);
    assert.notEqual(new URL(end, APP).searchParams.get('error'), null, end);
    assert.deepEqual(kept, {});
  });
}
