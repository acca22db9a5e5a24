// Getting to the set-up page as an operator does: by the single-use link that `admin-link` prints.

/** A single-use link, at the address that the test knows the broker by. */
export async function adminLink(broker) {
  return new URL(new URL(await broker.adminLink()).pathname, broker.url).href;
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
