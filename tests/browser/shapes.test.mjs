// Every shape of the token request that Kore.ai might send. One browser each would take long, so the pages'
// requests are made directly.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allShapes, parseShape, shapeName } from '../kore-emulator/emulator.mjs';
import { redeemAndUse } from '../kore-emulator/client.mjs';
import { authorize, makePublicToken } from './helpers/direct.mjs';
import { simulatedSetting, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = simulatedSetting('shapes', {}, { withBrowser: false });

for (const shape of allShapes().map(shapeName)) {
  test(`token request ${shape}`, { timeout: TIMEOUT_MS }, async () => {
    const { session, url } = setting.emulator.start({ shape, replay: '1' });
    await authorize(url, setting.broker.simulatorUrl);
    const report = setting.emulator.report(session);
    assert.equal(report.shape, shape);
    assert.deepEqual(report.problems, []);
    assert.equal(report.callback.state, 'unchanged');
    assert.equal(report.balance_after_refresh.status, 200);
    assert.equal(report.replay.error, 'invalid_grant');
  });
}

test("a raw public token of Plaid's as the code", { timeout: TIMEOUT_MS }, async () => {
  const { settings, callbackUrl: redirectUri } = setting.emulator;
  const report = await redeemAndUse(
    { ...settings, tokenUrl: new URL(settings.tokenPath, settings.broker) },
    { code: await makePublicToken(settings.plaid), shape: parseShape('json-basic'), redirectUri },
  );
  assert.deepEqual(report.problems, []);
});

test('the emulator notices a refused client', { timeout: TIMEOUT_MS }, async () => {
  const right = setting.emulator.settings.client;
  setting.emulator.settings.client = { ...right, secret: 'not-the-secret' };
  try {
    const { session, url } = setting.emulator.start();
    await authorize(url, setting.broker.simulatorUrl);
    const report = setting.emulator.report(session);
    assert.equal(report.token.status, 401);
    assert.equal(report.token.error, 'invalid_client');
    assert.notDeepEqual(report.problems, []);
  } finally {
    setting.emulator.settings.client = right;
  }
});
