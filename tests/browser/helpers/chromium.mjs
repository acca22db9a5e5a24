// Chromium, and contexts that watch what a page does behind one's back.

import assert from 'node:assert/strict';
import { accessSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { appendOutput, freshOutput, maskCode, maskPage, maskUrl, OUTPUT } from './output.mjs';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // The tests need no network, and nothing of them may reach one.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];
const CANDIDATES = [
  process.env.CHROMIUM_BIN,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
// Generous: a machine that builds an image meanwhile may stand still for many seconds.
const STEP_MS = 60_000;
const LAUNCH_MS = 90_000;
const BODY_MS = 2_000;
const KEEP_MS = 5_000;

function exists(path) {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A headless Chromium; `CHROMIUM_BIN` says which, else the usual places are looked at. */
export function launchChromium() {
  const executablePath = CANDIDATES.find((path) => path && exists(path));
  assert.ok(executablePath, 'Chromium not found; set CHROMIUM_BIN');
  return chromium.launch({ executablePath, args: ARGUMENTS, timeout: LAUNCH_MS });
}

/**
 * Runs `body(page, context, watch)` in a context of its own. When it fails, each page's picture and text are kept in the
 * output as NAME.failed-N.png and .txt.
 */
export async function inContext(browser, name, options, body) {
  const { context, watch } = await openContext(browser, name, options);
  try {
    return await body(await context.newPage(), context, watch);
  } catch (error) {
    await Promise.all(context.pages().map((page, number) => keepFailure(page, `${name}.failed-${number + 1}`)));
    throw error;
  } finally {
    await context.close();
  }
}

/** A page that does not answer any more has no picture. */
async function keepFailure(page, name) {
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), timeout: KEEP_MS }).catch(() => {});
  const text = await page.locator('body').innerText({ timeout: KEEP_MS }).catch((error) => `no text: ${error.message}`);
  appendOutput(freshOutput(`${name}.txt`), maskPage(`${maskUrl(page.url())}\n${text}`));
}

/**
 * A context of its own (cookies, storage) that counts policy violations, console errors and the origins that
 * were asked. Every URL and every page goes to the output for the secrets scan.
 */
async function openContext(browser, name, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(STEP_MS);
  const watch = { violations: [], errors: [], origins: new Set() };
  const urls = freshOutput(`${name}.urls.log`);
  const consoleLog = freshOutput(`${name}.console.log`);

  await context.exposeBinding('__reportViolation', (_source, violation) => watch.violations.push(violation));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.__reportViolation(`${event.violatedDirective} ${event.blockedURI} on ${event.documentURI.split('?')[0]}`);
    });
  });
  context.on('console', (message) => {
    appendOutput(consoleLog, `${message.type()}: ${maskCode(message.text())}`);
    if (message.type() === 'error') watch.errors.push(message.text());
  });
  context.on('weberror', (error) => {
    appendOutput(consoleLog, `uncaught: ${error.error().message}`);
    watch.errors.push(`uncaught: ${error.error().message}`);
  });
  context.on('request', (request) => {
    if (/^(data|blob|about):/.test(request.url())) return;
    watch.origins.add(new URL(request.url()).origin);
    appendOutput(urls, `${request.method()} ${maskUrl(request.url())}`);
  });

  // Each page as it was sent, and as it is when the context is closed.
  const pages = freshOutput(`${name}.pages.html`);
  const keeping = new Set();
  context.on('response', (response) => {
    if (!/^text\/html/.test(response.headers()['content-type'] ?? '')) return;
    // The body is gone when the page moved on at once; a redirect has none.
    const kept = response.text().then((html) => appendOutput(pages, maskPage(html)), () => {}).finally(() => keeping.delete(kept));
    keeping.add(kept);
  });
  const close = context.close.bind(context);
  context.close = async (...all) => {
    // The body of a page that was left at once may never come.
    await Promise.race([Promise.all(keeping), new Promise((resolve) => setTimeout(resolve, BODY_MS).unref())]);
    for (const page of context.pages()) await page.content().then((html) => appendOutput(pages, maskPage(html)), () => {});
    // What is on its way through a route of the test has nowhere to go any more.
    await context.unrouteAll({ behavior: 'ignoreErrors' });
    await close(...all);
  };

  /** No violation, no error but those expected, and no request but to these origins. */
  watch.assertClean = (origins, expected = []) => {
    assert.deepEqual(watch.violations, [], 'Content-Security-Policy violations');
    const errors = watch.errors.filter((error) => !expected.some((pattern) => pattern.test(error)));
    assert.deepEqual(errors, [], 'console errors');
    const unexpected = [...watch.origins].filter((origin) => !origins.includes(origin));
    assert.deepEqual(unexpected, [], 'requests to unexpected origins');
  };
  return { context, watch };
}

/**
 * Stands in for Plaid's CDN: what a page of the real environments loads from cdn.plaid.com comes from the
 * simulator instead, including the calls that Link's own frame makes.
 */
export async function serveLinkFromSimulator(context, simulatorUrl) {
  await context.route('https://cdn.plaid.com/**', async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const prefix = '/link/v2/stable/';
    if (!url.pathname.startsWith(prefix)) return route.abort();
    const target = new URL(`/_simulator/link/${url.pathname.slice(prefix.length)}${url.search}`, simulatorUrl);
    const body = request.postDataBuffer() ?? undefined;
    const contentType = request.headers()['content-type'];
    const headers = contentType ? { 'content-type': contentType } : {};
    const answer = await fetch(target, { method: request.method(), headers, body });
    const kept = [...answer.headers].filter(([name]) => !['content-length', 'content-encoding', 'transfer-encoding', 'connection'].includes(name));
    return route.fulfill({ status: answer.status, headers: Object.fromEntries(kept), body: Buffer.from(await answer.arrayBuffer()) });
  });
}
