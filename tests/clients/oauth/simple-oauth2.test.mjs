// simple-oauth2 is told host and paths; the defaults of its paths are the broker's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CALLBACK, checkTokens, CLIENT, same, startSetting, WRONG_SECRET } from './setting.mjs';
import { AuthorizationCode } from 'simple-oauth2';

const STATE = 'a state / with & and =';

let setting;
before(async () => {
  setting = await startSetting('simple-oauth2');
});
after(() => setting?.stop());

const clientWith = (secret, authorizationMethod = 'header') =>
  new AuthorizationCode({
    client: { id: CLIENT.id, secret },
    auth: { tokenHost: setting.issuer },
    options: { authorizationMethod },
  });

async function authorize(client) {
  const landed = await setting.connect(client.authorizeURL({ redirect_uri: CALLBACK, scope: 'transactions', state: STATE }));
  assert.equal(landed.searchParams.get('state'), STATE);
  return { code: landed.searchParams.get('code'), redirect_uri: CALLBACK };
}

/** What it throws holds the status and the parsed body of the answer. */
const isRefused = (status, code) => (error) =>
  error.isBoom && error.output.statusCode === status && error.data.payload.error === code;

for (const method of ['header', 'body']) {
  test(`it comes all the way with the secret in the ${method}`, async () => {
    const client = clientWith(CLIENT.secret, method);
    const granted = await authorize(client);
    await assert.rejects(clientWith(WRONG_SECRET, method).getToken(granted), isRefused(401, 'invalid_client'));

    const first = await client.getToken(granted);
    checkTokens(first.token);
    assert.equal(first.expired(), false);
    await assert.rejects(client.getToken(granted), isRefused(400, 'invalid_grant'), 'a used code');

    const second = await first.refresh();
    same(second.token.access_token, first.token.access_token, 'the access token');
    // The access token first, and then the refresh token.
    await second.revokeAll();
    await assert.rejects(second.refresh(), isRefused(400, 'invalid_grant'), 'a revoked token');
  });
}
