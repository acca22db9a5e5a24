// A broker with a simulator of Plaid, and the person who connects a bank. The client libraries are the tests' own.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { setDefaultResultOrder } from 'node:dns';

import { SIMULATOR_KEYS, startSandboxBroker, startSimulator } from '../../browser/helpers/broker.mjs';
import { completeLink, Jar } from '../../browser/helpers/direct.mjs';

// The broker's issuer is http://localhost:PORT, and it listens on IPv4; old Node.js would try IPv6 alone.
setDefaultResultOrder('ipv4first');
// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;

/** The client of the settings. */
export const CLIENT = SIMULATOR_KEYS;
/** Nobody listens there: the address is read from the page's answer, as a browser would be sent to it. */
export const CALLBACK = 'http://127.0.0.1:9/callback';
/** The client of clients.toml, at a port that it does not know before it runs. */
export const PUBLIC_CLIENT = { id: 'native-app', callback: 'http://127.0.0.1:54321/callback' };
export const WRONG_SECRET = 'not-the-secret';

/** A broker that wants its client's secret. */
export async function startSetting(name, env = {}) {
  const simulator = await startSimulator(`oauth-${name}-plaid`);
  try {
    const settings = { OAUTH_CLIENT_AUTH: 'required', ...env };
    const broker = await startSandboxBroker(`oauth-${name}`, simulator.url, CALLBACK, settings);
    return {
      issuer: `http://localhost:${new URL(broker.url).port}`,
      /** Opens what a client sends people to, connects a bank, and says where the browser is sent then. */
      connect: async (authorizationUrl) => new URL(await completeLink(new Jar(), String(authorizationUrl), simulator.url)),
      stop: async () => {
        await broker.stop();
        await simulator.stop();
      },
    };
  } catch (error) {
    await simulator.stop();
    throw error;
  }
}

/** An access token is Plaid's own; the scope is what was granted. */
export function checkTokens(tokens) {
  // Never by assert.match, whose message would show the token.
  assert.ok(/^access-sandbox-/.test(tokens.access_token), 'not an access token of Plaid');
  assert.equal(tokens.token_type.toLowerCase(), 'bearer');
  assert.equal(tokens.scope, 'transactions');
  assert.ok(tokens.refresh_token, 'no refresh token');
}

/** Whether two tokens are the same, without showing either. */
export function same(one, other, what) {
  assert.ok(one === other, `${what} changed`);
}
