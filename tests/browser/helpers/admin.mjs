// Getting to the set-up page as whoever runs the broker does: by the single-use link that the start prints.

import { once } from 'node:events';

/** The single-use link, at the address that the test knows the broker by. It is printed once the broker listens. */
export async function adminLink(broker) {
  while (!broker.adminLink()) await once(broker.child.stdout, 'data');
  return new URL(new URL(broker.adminLink()).pathname, broker.url).href;
}

/** Logs in, and waits for the set-up page. */
export async function openSetup(page, broker) {
  await page.goto(await adminLink(broker));
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname === '/setup');
  await page.getByText('Live.').waitFor();
}

/** The newest request that holds these words. */
export function request(page, words) {
  return page.locator('#entries > li').filter({ hasText: words }).first();
}
