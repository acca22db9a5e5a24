// What the Link page does when something between it and Plaid goes wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inContext } from './helpers/chromium.mjs';
import { Jar, makePublicToken, openLinkPage, pageCall, startLink } from './helpers/direct.mjs';
import { closing, connectButton, passLink } from './helpers/link.mjs';
import { keepPage } from './helpers/output.mjs';
import { reportOf, simulatedSetting, TIMEOUT_MS } from './helpers/setting.mjs';

const setting = simulatedSetting('trouble');

function browserTest(name, slug, body) {
  test(name, { timeout: TIMEOUT_MS }, () =>
    inContext(setting.browser, `trouble-${slug}`, {}, async (page, context, watch) => {
      await body(page, context);
      assert.deepEqual(watch.violations, []);
    }));
}

/** What the page tells with role=alert. */
function problem(page) {
  return page.getByRole('alert').filter({ hasText: /\S/ });
}

browserTest('an exchange that fails is repeated without going through Link again', 'exchange', async (page) => {
  await page.route('**/api/set_access_token', (route) => route.abort(), { times: 1 });
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await passLink(page);
  await problem(page).waitFor();
  await keepPage(page, 'trouble-exchange');
  await page.getByRole('button', { name: 'Try again' }).click();
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
});

browserTest('an answer that was lost on its way is asked for again and is the same', 'lost-answer', async (page) => {
  let reached = 0;
  await page.route('**/api/set_access_token', async (route) => {
    await route.fetch();
    reached += 1;
    await route.abort();
  }, { times: 1 });
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await passLink(page);
  await problem(page).waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
  assert.equal(reached, 1);
});

browserTest('a blocked Link script is explained, and can be tried again', 'blocked-script', async (page) => {
  const script = /\/_simulator\/link\/link-initialize\.js/;
  await page.route(script, (route) => route.abort());
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await problem(page).waitFor();
  await keepPage(page, 'trouble-blocked');
  await page.unroute(script);
  await page.getByRole('button', { name: 'Try again' }).click();
  await passLink(page);
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
});

browserTest('a page whose cookie is gone says so and offers a way', 'no-cookie', async (page, context) => {
  const { url } = setting.emulator.start();
  await page.goto(url);
  await connectButton(page).waitFor();
  await context.clearCookies();
  await connectButton(page).click();
  await problem(page).waitFor();
  await page.getByRole('button', { name: /./ }).first().waitFor();
  await keepPage(page, 'trouble-no-cookie');
});

browserTest('two tabs of one browser do not disturb each other', 'two-tabs', async (first, context) => {
  const second = await context.newPage();
  const one = setting.emulator.start();
  const two = setting.emulator.start();
  await first.goto(one.url);
  await second.goto(two.url);
  await first.bringToFront(); // Chromium slows down what is in the background
  await passLink(first);
  assert.deepEqual((await reportOf(first, setting.emulator, one.session)).problems, []);
  await second.bringToFront();
  await passLink(second);
  assert.deepEqual((await reportOf(second, setting.emulator, two.session)).problems, []);
});

browserTest('inside a frame there is one link to a window of its own', 'framed', async (page, context) => {
  const { session, url } = setting.emulator.start({}, '/start-framed');
  // Another site around it: localhost and 127.0.0.1 are two.
  await page.goto(url.replace('127.0.0.1', 'localhost'));
  const frame = page.frameLocator('iframe[title="authorization"]');
  const way = frame.getByRole('link', { name: 'Continue in a new window' });
  await way.waitFor();
  assert.equal(await frame.getByRole('button').count(), 0);
  const opened = context.waitForEvent('page');
  await way.click();
  const popup = await opened;
  const closed = closing(popup);
  await passLink(popup);
  await closed; // by the client's page, which only a window that kept its opener may do
  assert.deepEqual(setting.emulator.report(session).problems, []);
});

browserTest('a page that opened Plaid too often is explained, and a fresh one works', 'too-often', async (page) => {
  const { session, url } = setting.emulator.start();
  await page.goto(url);
  await connectButton(page).waitFor();
  // The page's own calls, as many as one authorization gets.
  const last = await page.evaluate(async () => {
    const { handle, request, root } = document.querySelector('main').dataset;
    let status = 0;
    for (let number = 0; number < 20; number += 1) {
      const response = await fetch(`${root}api/create_link_token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Broker-Handle': handle },
        body: JSON.stringify({ request }),
      });
      status = response.status;
    }
    return status;
  });
  assert.equal(last, 200);
  await connectButton(page).click();
  await problem(page).filter({ hasText: 'too many times' }).waitFor();
  await page.getByRole('button', { name: 'Reload this page' }).click();
  await passLink(page);
  assert.deepEqual((await reportOf(page, setting.emulator, session)).problems, []);
});

test('the calls of a page are refused to everybody else', { timeout: TIMEOUT_MS }, async () => {
  const mine = new Jar();
  const theirs = new Jar();
  const page = await openLinkPage(mine, setting.emulator.start().url);
  const theirPage = await openLinkPage(theirs, setting.emulator.start().url);
  await startLink(mine, page);
  await startLink(theirs, theirPage);
  const completion = { public_token: await makePublicToken(setting.broker.simulatorUrl) };
  const refused = async (what, jar, headers = {}) => {
    const { status, json } = await pageCall(jar, page, '/api/set_access_token', completion, headers);
    assert.ok(status >= 400 && status < 500, `${what}: answered ${status}`);
    assert.equal(json?.redirect_to, undefined, what);
  };
  await refused('no cookie', new Jar());
  await refused('the cookie of another browser', theirs);
  await refused('the handle of another page', mine, { 'x-broker-handle': theirPage.handle });
  await refused('a made-up handle', mine, { 'x-broker-handle': 'made-up' });
  await refused('from another site', mine, { 'sec-fetch-site': 'cross-site' });
  await refused('from another origin of the same site', mine, { 'sec-fetch-site': 'same-site' });
  const accepted = await pageCall(mine, page, '/api/set_access_token', completion);
  assert.equal(accepted.status, 200, 'nothing of that spoiled the right call');
});
