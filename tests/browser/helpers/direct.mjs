// The same way without a browser: what the pages do, request by request. For the many shapes of one thing.

import assert from 'node:assert/strict';

import { SIMULATOR_KEYS } from './broker.mjs';

/** The Set-Cookie lines: Debian's Node.js 18 has no `getSetCookie`, and joins them by commas. */
function setCookies(headers) {
  return headers.getSetCookie?.() ?? (headers.get('set-cookie') ?? '').split(/, (?=[^;,= ]+=)/).filter(Boolean);
}

/** What a browser keeps between requests. Hosts tell cookies apart, ports do not (RFC 6265 8.5). */
export class Jar {
  #cookies = new Map();

  header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  keep(response) {
    for (const line of setCookies(response.headers)) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      if (/;\s*max-age=0/i.test(line)) this.#cookies.delete(pair.slice(0, at));
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

async function request(jar, url, options = {}) {
  const headers = { cookie: jar.header(), ...options.headers };
  const response = await fetch(url, { ...options, headers, redirect: 'manual' });
  jar.keep(response);
  return response;
}

/** Opens a Link page: where it is, its handle and its sealed request. */
export async function openLinkPage(jar, startUrl) {
  let url = startUrl;
  let response = await request(jar, url);
  for (let hops = 0; response.status >= 300 && response.status < 400; hops += 1) {
    assert.ok(hops < 5, 'too many redirects to the Link page');
    url = new URL(response.headers.get('location'), url);
    response = await request(jar, url);
  }
  const html = await response.text();
  assert.equal(response.status, 200, `the Link page answered ${response.status}`);
  const handle = /<main\b[^>]*\bid="link"[^>]*\bdata-handle="([^"]+)"/.exec(html)?.[1];
  const sealed = /\bdata-request="([^"]+)"/.exec(html)?.[1];
  assert.ok(handle && sealed, 'the Link page has no handle or no request');
  return { url: new URL(url), handle, request: sealed };
}

/** Opens Link, as a click on the page's button does. */
export async function startLink(jar, page) {
  const { status } = await pageCall(jar, page, '/api/create_link_token', { request: page.request });
  assert.equal(status, 200, 'no link token');
}

/** One of the page's own calls. */
export async function pageCall(jar, page, path, body, headers = {}) {
  const response = await request(jar, new URL(path, page.url.origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', 'x-broker-handle': page.handle, ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : JSON.parse(text) };
}

/** A public token as Link would give it, from the simulator. */
export async function makePublicToken(simulatorUrl) {
  const response = await fetch(new URL('/sandbox/public_token/create', simulatorUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: SIMULATOR_KEYS.id,
      secret: SIMULATOR_KEYS.secret,
      institution_id: 'ins_109508',
      initial_products: ['auth', 'transactions'],
    }),
  });
  assert.equal(response.status, 200, 'the simulator makes no public token');
  return (await response.json()).public_token;
}

/** A person who connects a bank: from a client's authorization URL to the URL that the browser is sent to. */
export async function completeLink(jar, startUrl, simulatorUrl) {
  const page = await openLinkPage(jar, startUrl);
  await startLink(jar, page);
  const publicToken = await makePublicToken(simulatorUrl);
  const completed = await pageCall(jar, page, '/api/set_access_token', {
    public_token: publicToken,
    metadata: { institution: { name: 'First Platypus Bank', institution_id: 'ins_109508' } },
  });
  assert.equal(completed.status, 200, 'the public token was not accepted');
  assert.deepEqual(Object.keys(completed.json), ['redirect_to'], 'the page is told where to go and nothing else');
  return completed.json.redirect_to;
}

/** The whole authorization, from the client's start page to its callback. */
export async function authorize(startUrl, simulatorUrl) {
  const jar = new Jar();
  const callback = await request(jar, await completeLink(jar, startUrl, simulatorUrl));
  assert.equal(callback.status, 303, 'the callback was not accepted');
}
