// openid-client configures itself from the metadata and does the rest of the protocol by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CALLBACK, checkTokens, CLIENT, same, startSetting, WRONG_SECRET } from './setting.mjs';
import * as oauth from 'openid-client';

let setting;
before(async () => {
  setting = await startSetting('openid-client');
});
after(() => setting?.stop());

const discover = (secret) =>
  oauth.discovery(new URL(setting.issuer), CLIENT.id, undefined, oauth.ClientSecretBasic(secret), {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
  });

async function authorize(configuration) {
  const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
  const expectedState = oauth.randomState();
  const url = oauth.buildAuthorizationUrl(configuration, {
    redirect_uri: CALLBACK,
    scope: 'transactions',
    state: expectedState,
    code_challenge: await oauth.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  return { landed: await setting.connect(url), checks: { pkceCodeVerifier, expectedState } };
}

const isRefused = (error) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant';

test('it comes all the way', async () => {
  const configuration = await discover(CLIENT.secret);
  assert.equal(configuration.serverMetadata().supportsPKCE(), true);
  const { landed, checks } = await authorize(configuration);
  const first = await oauth.authorizationCodeGrant(configuration, landed, checks);
  checkTokens(first);

  const second = await oauth.refreshTokenGrant(configuration, first.refresh_token);
  same(second.access_token, first.access_token, 'the access token');

  await oauth.tokenRevocation(configuration, first.refresh_token);
  await assert.rejects(oauth.refreshTokenGrant(configuration, first.refresh_token), isRefused);
  const told = await oauth.tokenIntrospection(configuration, first.refresh_token);
  assert.equal(told.active, false);
});

test('a used code and a wrong secret are errors of its own', async () => {
  const configuration = await discover(CLIENT.secret);
  const { landed, checks } = await authorize(configuration);
  const mistaken = oauth.authorizationCodeGrant(await discover(WRONG_SECRET), landed, checks);
  await assert.rejects(mistaken, (error) => error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401);
  await oauth.authorizationCodeGrant(configuration, landed, checks);
  await assert.rejects(oauth.authorizationCodeGrant(configuration, landed, checks), isRefused);
});
