// One broker, one emulated Kore.ai and one browser for the tests of a file.

import { after, before } from 'node:test';

import { startEmulator } from '../../kore-emulator/emulator.mjs';
import { SIMULATOR_KEYS, startSimulatedBroker } from './broker.mjs';
import { launchChromium } from './chromium.mjs';

/** Long enough for a debug build on a busy machine with two cores. No test waits for it unless something is wrong. */
export const TIMEOUT_MS = 180_000;

/** Registers the hooks; the returned object is filled before the first test. */
export function simulatedSetting(name, env = {}, { withBrowser = true } = {}) {
  const setting = { name };
  before(async () => {
    setting.broker = await startSimulatedBroker(name, env);
    const { url: broker, simulatorUrl: plaid } = setting.broker;
    setting.emulator = await startEmulator({ broker, plaid, client: SIMULATOR_KEYS });
    if (withBrowser) setting.browser = await launchChromium();
  }, { timeout: TIMEOUT_MS });
  after(async () => {
    await setting.browser?.close();
    await setting.emulator?.close();
    await setting.broker?.stop();
  }, { timeout: TIMEOUT_MS });
  return setting;
}

/** The emulator's report of a session that a browser has been through. */
export async function reportOf(page, emulator, session) {
  await page.waitForURL(`${emulator.url}/done/${session}`);
  return emulator.report(session);
}
