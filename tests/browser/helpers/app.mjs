// An app of its own that runs Link: the page that a developer writes, with a policy as strict as Link allows.

import { createServer } from 'node:http';
import assert from 'node:assert/strict';

import { SIMULATOR_KEYS } from './broker.mjs';

/**
 * Serves one page for every path, which loads Link's script from `scriptUrl` and notes all callbacks in
 * `window.told`. `create(config)`, `embed(config)` and `handler` are there for tests.
 */
export async function startApp(scriptUrl) {
  const origin = new URL(scriptUrl).origin;
  const script = `
    window.told = [];
    const note = (kind) => (...values) => window.told.push({ kind, values });
    const callbacks = { onLoad: note('load'), onEvent: note('event'), onSuccess: note('success'), onExit: note('exit') };
    window.create = (config) => { window.handler = window.Plaid.create({ ...callbacks, ...config }); return window.handler; };
    window.embed = (config) => { window.embedded = window.Plaid.createEmbedded({ ...callbacks, ...config }, document.getElementById('place')); };
  `;
  const page = `<!doctype html><html lang="en"><head><title>App</title><meta name="viewport" content="width=device-width">
    <script src="${scriptUrl}"></script><script src="/app.js"></script></head>
    <body><h1>App</h1><button id="before">Something else</button><main id="place"></main></body></html>`;
  const policy = `default-src 'none'; script-src 'self' ${origin}; frame-src ${origin}; style-src 'self'; connect-src 'self'; img-src 'self'`;
  const server = createServer((request, response) => {
    const isScript = request.url === '/app.js';
    response.writeHead(request.url === '/favicon.ico' ? 204 : 200, {
      'Content-Type': isScript ? 'text/javascript' : 'text/html',
      'Content-Security-Policy': policy,
      'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
    });
    response.end(request.url === '/favicon.ico' ? undefined : isScript ? script : page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** One of Plaid's calls, at the simulator. */
export async function callPlaid(simulatorUrl, path, body) {
  const response = await fetch(new URL(path, simulatorUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: SIMULATOR_KEYS.id, secret: SIMULATOR_KEYS.secret, ...body }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** A link token for a new Item, or what `changes` make of it. */
export function createLinkToken(simulatorUrl, changes = {}) {
  const products = changes.access_token ? {} : { products: ['auth', 'transactions'] };
  const request = {
    client_name: 'Test bank bot',
    language: 'en',
    country_codes: ['US'],
    user: { client_user_id: '8a1b0f52' },
    ...products,
    ...changes,
  };
  return callPlaid(simulatorUrl, '/link/token/create', request);
}

/** What the callbacks of one kind were told so far. */
export async function told(page, kind) {
  const all = await page.evaluate(() => window.told);
  return all.filter((one) => one.kind === kind).map(({ values }) => values);
}

/** Waits for `onSuccess` or `onExit`, and gives its values. */
export async function end(page, kind) {
  await page.waitForFunction((wanted) => window.told.some((one) => one.kind === wanted), kind);
  return (await told(page, kind)).at(-1);
}

/** The names of the events, in order. */
export async function eventNames(page) {
  return (await told(page, 'event')).map(([name]) => name);
}
