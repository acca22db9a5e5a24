// From a clone to "authorized" in the six steps of docs/setup.md, which are those of the README too: the binary with a `.env`,
// the set-up page, Kore.ai's form. Of the tunnel there is only an address here: the network stays on this machine.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { startEmulator } from '../kore-emulator/emulator.mjs';
import { openSetup } from './helpers/admin.mjs';
import { SIMULATOR_KEYS, startSimulator, startWithDotenv } from './helpers/broker.mjs';
import { inContext, launchChromium, serveLinkFromSimulator } from './helpers/chromium.mjs';
import { passLink } from './helpers/link.mjs';
import { ROOT } from './helpers/output.mjs';
import { freePort } from './helpers/port.mjs';
import { reportOf, TIMEOUT_MS } from './helpers/setting.mjs';

/** The numbered steps of a section: each with its bold title and its whole text. */
async function documented(file, heading) {
  const text = await readFile(join(ROOT, file), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
  return [...section.matchAll(/^(\d)\. (\*\*(.+?)\*\*[^]*?)(?=^\d\. |^\S|^$)/gm)].map(([, number, whole, title]) => ({
    number: Number(number),
    title,
    text: whole.replace(/\s+/g, ' '),
  }));
}

test('README and docs/setup.md have the same six steps', async () => {
  const [readme, setup] = [await documented('README.md', 'Use it with Plaid and Kore.ai'), await documented('docs/setup.md', 'From clone to "authorized"')];
  assert.deepEqual(setup.map(({ number }) => number), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(readme.map(({ number, title }) => [number, title]), setup.map(({ number, title }) => [number, title]));
});

test('from clone to authorized in six steps', { timeout: 2 * TIMEOUT_MS }, async () => {
  const steps = await documented('docs/setup.md', 'From clone to "authorized"');
  /** Performs the next step of the document, which must have this title and name everything that the step uses. */
  const step = async (title, uses, body) => {
    const next = steps.shift();
    assert.equal(next?.title, title);
    for (const word of uses) assert.ok(next.text.includes(word), `step "${title}" does not name ${word}`);
    await body();
  };
  const simulator = await startSimulator('six-steps-simulator'); // in the place of Plaid's sandbox
  const browser = await launchChromium();
  let dotenv;
  let broker;
  let emulator;
  const walk = async (page, context) => {
    await serveLinkFromSimulator(context, simulator.url);
    const set = (name, value) => {
      const line = new RegExp(`^#?${name}=.*$`, 'm');
      assert.match(dotenv, line, `${name} is not in .env.example`);
      dotenv = dotenv.replace(line, `${name}=${value}`);
    };
    // What this machine needs and no reader does: ports that are free, and the simulator for Plaid.
    const port = await freePort();
    const surroundings = { APP_PORT: String(port), BROKER_OPS_BIND: '127.0.0.1:0', PLAID_BASE_URL: simulator.url };

    await step('Get the source', ['clone'], async () => {
      dotenv = await readFile(join(ROOT, '.env.example'), 'utf8');
    });
    await step('Fill in `.env`', ['`.env.example`', '`PLAID_CLIENT_ID`', '`PLAID_SECRET`'], () => {
      set('PLAID_CLIENT_ID', SIMULATOR_KEYS.id);
      set('PLAID_SECRET', SIMULATOR_KEYS.secret);
    });
    await step('Start it at an address that Kore.ai reaches', ['`PUBLIC_URL`', '`.env`', '`cargo run --release`'], async () => {
      set('PUBLIC_URL', `http://127.0.0.1:${port}`);
      broker = await startWithDotenv('six-steps', dotenv, surroundings);
    });
    await step('Fill in Kore.ai\'s form', ['set-up link', '*OAuth v2*'], async () => {
      await openSetup(page, broker);
      // What the page says, and nothing that is known otherwise.
      const value = async (field) => {
        const name = page.locator('dt', { hasText: new RegExp(`^${field}$`) });
        return page.locator('#values div').filter({ has: name }).locator('code.value').first().textContent();
      };
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
    await step('Allow the callback', ['*Callback Link*', '*Allow this callback*'], async () => {
      await page.getByLabel('Callback URL that the profile shows').fill(emulator.callbackUrl);
      await page.getByRole('button', { name: 'Allow this callback' }).click();
      await page.getByText('The callback is allowed from now on').waitFor();
    });
    await step('Authorize', ['*Authorize*', '*Test*', 'choose a bank'], async () => {
      const { session, url } = emulator.start();
      await page.goto(url);
      await passLink(page);
      const report = await reportOf(page, emulator, session);
      assert.deepEqual(report.problems, []);
      assert.ok(report.balance_after_refresh.accounts > 0);
    });
    assert.deepEqual(steps, []);
  };
  try {
    await inContext(browser, 'six-steps', {}, walk);
  } finally {
    await browser.close();
    await emulator?.close();
    await broker?.stop();
    await simulator.stop();
  }
});
