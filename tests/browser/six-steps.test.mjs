// From a clone to "authorized" in six steps, each done as docs/setup.md says it: the binary with a `.env`, the set-up page,
// Kore.ai's form. The tunnel is the one step that has no part here but its address: the network stays on this machine.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { openSetup } from './helpers/admin.mjs';
import { SIMULATOR_KEYS, startSimulator, startWithDotenv } from './helpers/broker.mjs';
import { launchChromium, openContext, serveLinkFromSimulator } from './helpers/chromium.mjs';
import { passLink } from './helpers/link.mjs';
import { ROOT } from './helpers/output.mjs';
import { freePort } from './helpers/port.mjs';
import { reportOf, TIMEOUT_MS } from './helpers/setting.mjs';

/** The numbered steps of the document. */
async function documented() {
  const text = await readFile(join(ROOT, 'docs/setup.md'), 'utf8');
  const section = text.split('## From clone to "authorized"')[1].split('\n## ')[0];
  return [...section.matchAll(/^(\d)\. /gm)].map(([, number]) => Number(number));
}

test('from clone to authorized in six steps', { timeout: 2 * TIMEOUT_MS }, async () => {
  assert.deepEqual(await documented(), [1, 2, 3, 4, 5, 6]);
  const simulator = await startSimulator('six-steps-simulator'); // in the place of Plaid's sandbox
  const browser = await launchChromium();
  const { context } = await openContext(browser, 'six-steps');
  await serveLinkFromSimulator(context, simulator.url);
  let steps = 0;
  const step = (body) => {
    steps += 1;
    return body();
  };
  let dotenv;
  let broker;
  let emulator;
  try {
    const example = await readFile(join(ROOT, '.env.example'), 'utf8');
    const set = (name, value) => {
      const line = new RegExp(`^#?${name}=.*$`, 'm');
      assert.match(dotenv, line, `${name} is not in .env.example`);
      dotenv = dotenv.replace(line, `${name}=${value}`);
    };
    // What this machine needs and no reader does: ports that are free, and the simulator for Plaid.
    const port = await freePort();
    const surroundings = { APP_PORT: String(port), BROKER_OPS_BIND: '127.0.0.1:0', PLAID_BASE_URL: simulator.url };

    await step(() => {
      dotenv = example;
      set('PLAID_CLIENT_ID', SIMULATOR_KEYS.id);
      set('PLAID_SECRET', SIMULATOR_KEYS.secret);
    });
    await step(() => set('PUBLIC_URL', `http://127.0.0.1:${port}`));
    const page = await context.newPage();
    await step(async () => {
      broker = await startWithDotenv('six-steps', dotenv, surroundings);
      await openSetup(page, broker);
    });
    await step(async () => {
      // The form: what the page says, and nothing that is known otherwise.
      const value = (field) => page.locator('#values div').filter({ has: page.locator('dt', { hasText: field }) }).locator('code.value').first().textContent();
      const [id, authorization, token, refresh] = [await value('Client ID'), await value('Authorization URL'), await value('Token Request URL'), await value('Refresh Token URL')];
      assert.equal(token, refresh);
      const [authorizationUrl, tokenUrl] = [new URL(authorization), new URL(token)];
      emulator = await startEmulator({
        broker: authorizationUrl.origin,
        plaid: simulator.url,
        client: { id, secret: SIMULATOR_KEYS.secret },
        authorizationPath: authorizationUrl.pathname,
        tokenPath: tokenUrl.pathname,
      });
    });
    await step(async () => {
      await page.getByLabel('Callback URL that the profile shows').fill(emulator.callbackUrl);
      await page.getByRole('button', { name: 'Allow this callback' }).click();
      await page.getByText('The callback is allowed from now on').waitFor();
    });
    await step(async () => {
      const { session, url } = emulator.start();
      await page.goto(url);
      await passLink(page);
      const report = await reportOf(page, emulator, session);
      assert.deepEqual(report.problems, []);
      assert.ok(report.balance_after_refresh.accounts > 0);
    });
    assert.equal(steps, 6);
  } finally {
    await browser.close();
    await emulator?.close();
    await broker?.stop();
    await simulator.stop();
  }
});
