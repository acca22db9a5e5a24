// oauth4webapi checks what others pass over: metadata, `iss`, content types and the shape of every answer.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { CALLBACK, checkTokens, CLIENT, PUBLIC_CLIENT, same, startSetting, WRONG_SECRET } from './setting.mjs';
import * as oauth from 'oauth4webapi';

const http = { [oauth.allowInsecureRequests]: true };

let setting;
let server;
before(async () => {
  const clients = fileURLToPath(new URL('clients.toml', import.meta.url));
  setting = await startSetting('oauth4webapi', { OAUTH_CLIENTS_FILE: clients });
  const issuer = new URL(setting.issuer);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http });
  server = await oauth.processDiscoveryResponse(issuer, answer);
});
after(() => setting?.stop());

/** What the broker is asked, and what the client keeps until the answer. */
async function ask(client, redirectUri, scope = 'transactions') {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  const query = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url, verifier, state };
}

/** Authorization up to the checked parameters of the callback. */
async function authorize(client, redirectUri) {
  const { url, verifier, state } = await ask(client, redirectUri);
  const landed = await setting.connect(url);
  return { parameters: oauth.validateAuthResponse(server, client, landed, state), verifier, redirectUri };
}

async function redeem(client, authentication, { parameters, verifier, redirectUri }) {
  const answer = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, verifier, http);
  return oauth.processAuthorizationCodeResponse(server, client, answer);
}

async function refresh(client, authentication, token) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, token, http);
  return oauth.processRefreshTokenResponse(server, client, answer);
}

async function revoke(client, authentication, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, http));
}

const isRefused = (code) => (error) => error instanceof oauth.ResponseBodyError && error.error === code && error.status === 400;

for (const [name, method] of [['Basic', oauth.ClientSecretBasic], ['the body', oauth.ClientSecretPost]]) {
  test(`a client whose secret goes by ${name} comes all the way`, async () => {
    const client = { client_id: CLIENT.id };
    const authentication = method(CLIENT.secret);
    const granted = await authorize(client, CALLBACK);
    const first = await redeem(client, authentication, granted);
    checkTokens(first);

    const second = await refresh(client, authentication, first.refresh_token);
    same(second.access_token, first.access_token, 'the access token');
    same(second.refresh_token, first.refresh_token, 'the refresh token');

    const asked = await oauth.introspectionRequest(server, client, authentication, first.refresh_token, http);
    const told = await oauth.processIntrospectionResponse(server, client, asked);
    assert.equal(told.active, true);

    await assert.rejects(redeem(client, authentication, granted), isRefused('invalid_grant'), 'a used code');
    await revoke(client, authentication, first.refresh_token);
    await assert.rejects(refresh(client, authentication, first.refresh_token), isRefused('invalid_grant'), 'a revoked token');
  });
}

test('a wrong secret is a challenge, and does not use the code up', async () => {
  const client = { client_id: CLIENT.id };
  const granted = await authorize(client, CALLBACK);
  await assert.rejects(redeem(client, oauth.ClientSecretBasic(WRONG_SECRET), granted), (error) => {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError);
    assert.equal(error.status, 401);
    assert.deepEqual(error.cause.map(({ scheme }) => scheme), ['basic']);
    return true;
  });
  checkTokens(await redeem(client, oauth.ClientSecretBasic(CLIENT.secret), granted));
});

test('an authorization that is refused comes back with state and issuer', async () => {
  const client = { client_id: CLIENT.id };
  const { url, state } = await ask(client, CALLBACK, 'assets');
  const answer = await fetch(url, { redirect: 'manual' });
  const landed = new URL(answer.headers.get('location'));
  assert.throws(
    () => oauth.validateAuthResponse(server, client, landed, state),
    (error) => error instanceof oauth.AuthorizationResponseError && error.error === 'invalid_scope',
  );
  for (const name of ['iss', 'state']) {
    const forged = new URL(landed);
    forged.searchParams.set(name, 'https://elsewhere.example');
    assert.throws(() => oauth.validateAuthResponse(server, client, forged, state), oauth.OperationProcessingError);
  }
});

test('a public client gets a new refresh token each time, and an old one ends them all', async () => {
  assert.ok(server.token_endpoint_auth_methods_supported.includes('none'));
  const client = { client_id: PUBLIC_CLIENT.id };
  const authentication = oauth.None();
  const first = await redeem(client, authentication, await authorize(client, PUBLIC_CLIENT.callback));
  checkTokens(first);
  const second = await refresh(client, authentication, first.refresh_token);
  const third = await refresh(client, authentication, second.refresh_token);
  for (const later of [second, third]) same(later.access_token, first.access_token, 'the access token');
  assert.equal(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size, 3, 'a refresh token stayed');
  await assert.rejects(refresh(client, authentication, first.refresh_token), isRefused('invalid_grant'));
  await assert.rejects(refresh(client, authentication, third.refresh_token), isRefused('invalid_grant'));
});

test('a public client revokes', async () => {
  const client = { client_id: PUBLIC_CLIENT.id };
  const tokens = await redeem(client, oauth.None(), await authorize(client, PUBLIC_CLIENT.callback));
  await revoke(client, oauth.None(), tokens.refresh_token);
  await assert.rejects(refresh(client, oauth.None(), tokens.refresh_token), isRefused('invalid_grant'));
});
