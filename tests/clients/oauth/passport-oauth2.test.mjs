// passport-oauth2 in a server of its own: state and PKCE live in the browser's session with that server.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { after, before, test } from 'node:test';

import { checkTokens, CLIENT, same, startSetting, WRONG_SECRET } from './setting.mjs';
import session from 'express-session';
import passport from 'passport';
import { Strategy, TokenError } from 'passport-oauth2';

let setting;
let host;
let origin;
before(async () => {
  host = createServer(answer);
  await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${host.address().port}`;
  setting = await startSetting('passport-oauth2', { PLAID_REDIRECT_URI: `${origin}/callback` });
});
after(async () => {
  host?.closeAllConnections();
  host?.close();
  await setting?.stop();
});

const sessions = promisify(session({ secret: 'of these tests', resave: false, saveUninitialized: false }));
/** What the last callback came to. */
let outcome;

async function answer(request, response) {
  const url = new URL(request.url, origin);
  request.query = Object.fromEntries(url.searchParams);
  await sessions(request, response);
  request.session.as ??= request.query.as;
  const authenticate = passport.authenticate(request.session.as, { session: false }, (error, user, info, status) => {
    outcome = { error, user, status };
    response.end();
  });
  authenticate(request, response);
}

function use(name, secret) {
  const options = {
    authorizationURL: `${setting.issuer}/oauth/authorize`,
    tokenURL: `${setting.issuer}/oauth/token`,
    clientID: CLIENT.id,
    clientSecret: secret,
    callbackURL: `${origin}/callback`,
    scope: ['transactions'],
    state: true,
    pkce: true,
  };
  const verify = (accessToken, refreshToken, tokens, profile, done) =>
    done(null, { ...tokens, access_token: accessToken, refresh_token: refreshToken });
  passport.use(name, new Strategy(options, verify));
}

/** A browser with its session at the host: from the host to the bank and back. */
async function logIn(name, change = (url) => url) {
  const start = await fetch(`${origin}/?as=${name}`, { redirect: 'manual' });
  assert.equal(start.status, 302);
  const [cookie] = start.headers.get('set-cookie').split(';');
  const landed = change(await setting.connect(start.headers.get('location')));
  outcome = undefined;
  await fetch(landed, { headers: { cookie }, redirect: 'manual' });
  return outcome;
}

test('a log-in ends with tokens, which its OAuth client refreshes', async () => {
  use('right', CLIENT.secret);
  const { error, user } = await logIn('right');
  assert.ifError(error);
  checkTokens(user);
  // The way of passport-oauth2-refresh: the strategy's own client, in the shape of a promise.
  const client = passport._strategy('right')._oauth2;
  const tokens = await new Promise((resolve, reject) => {
    const done = (failure, access_token) => (failure ? reject(failure) : resolve({ access_token }));
    client.getOAuthAccessToken(user.refresh_token, { grant_type: 'refresh_token' }, done);
  });
  same(tokens.access_token, user.access_token, 'the access token');
});

test('a wrong secret is its own TokenError', async () => {
  use('wrong', WRONG_SECRET);
  const { error, user } = await logIn('wrong');
  assert.ok(error instanceof TokenError);
  assert.equal(error.code, 'invalid_client');
  assert.ok(!user);
});

test('an answer with another state is not taken', async () => {
  use('right', CLIENT.secret);
  const { error, user, status } = await logIn('right', (url) => {
    url.searchParams.set('state', 'of-somebody-else');
    return url;
  });
  assert.ifError(error);
  assert.ok(!user);
  assert.equal(status, 403);
});
