#!/usr/bin/env node
// A program that behaves like Kore.ai as an OAuth 2.0 client, to test the broker from outside.
//
//   node emulator.mjs --broker http://127.0.0.1:8000 --plaid http://127.0.0.1:9400 \
//     --client-id ID --client-secret SECRET [--port 0] [--authorization-path /] [--token-path PATH]
//
// Pages: /start (to the Authorization URL), /start-popup, /start-framed, /callback, /report/<session>.
// Query of the /start pages: send=state,client_id,response_type,scope (what is sent beside redirect_uri),
// state=…, scope=…, preset=… (parameters that are in the URL already), shape=form-basic-grant-redirect, replay=1,
// actions=1 (runs each of Kore.ai's actions).

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { authorizationUrl, awkwardState, checkCallback, rawPairs } from './authorization.mjs';
import { redeemAndUse } from './client.mjs';
import * as pages from './pages.mjs';
import { parseShape, shapeName } from './shapes.mjs';

export { allShapes, parseShape, shapeName } from './shapes.mjs';
export { awkwardState } from './authorization.mjs';

/** Tells a browser's sessions apart when no state was sent. Only /callback sees it, so the broker never does. */
const SESSION_COOKIE = 'kore_emulator_session';
const DEFAULT_SEND = 'state,client_id,response_type';
const DEFAULT_SHAPE = 'form-basic-grant-redirect';

class Emulator {
  #sessions = new Map();
  #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => send(response, 500, pages.problem(error.message)));
  });

  constructor(settings) {
    this.settings = {
      authorizationPath: '/',
      tokenPath: '/api/send_the_access_token_AUTH',
      plaidClient: settings.client,
      ...settings,
    };
  }

  /** Starts to listen; port 0 lets the system choose. `broker` and `plaid` may still be set in `settings` later. */
  async listen(port = 0) {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    this.callbackUrl = `${this.url}/callback`;
    return this;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A page of the emulator with its options, and the session that it will open. */
  start(options = {}, path = '/start') {
    const session = randomUUID();
    const query = new URLSearchParams({ session, ...options });
    return { session, url: `${this.url}${path}?${query}` };
  }

  /** What became of a session, without secrets; `undefined` until its callback came. */
  report(session) {
    return this.#sessions.get(session)?.report;
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    const [, first, id] = url.pathname.split('/');
    if (request.method !== 'GET') return send(response, 405, pages.problem('Only GET is answered here.'));
    switch (first) {
      case 'start':
        return this.#start(url.searchParams, response);
      case 'start-popup':
        return send(response, 200, pages.popupOpener(`/start${url.search}`));
      case 'start-framed':
        return send(response, 200, pages.framed(`/start${url.search}`));
      case 'callback':
        return this.#callback(request, response);
      case 'done':
        return send(response, 200, pages.done(outcomeOf(this.report(id)), id));
      case 'report':
        return this.report(id) ? sendJson(response, this.report(id)) : send(response, 404, pages.problem('No such report.'));
      default:
        return send(response, 404, pages.problem('No such page.'));
    }
  }

  #start(options, response) {
    const id = options.get('session') ?? randomUUID();
    const wanted = (options.get('send') ?? DEFAULT_SEND).split(',').filter(Boolean);
    const known = {
      response_type: 'code',
      client_id: this.settings.client.id,
      scope: options.get('scope') ?? 'transactions',
      state: options.get('state') ?? awkwardState(),
    };
    const parameters = { redirect_uri: this.callbackUrl };
    for (const name of wanted) parameters[name] = known[name] ?? '';
    const preset = (options.get('preset') ?? '').split(',').filter(Boolean);
    const base = new URL(this.settings.authorizationPath, this.settings.broker);
    const location = authorizationUrl(base, parameters, preset);
    this.#sessions.set(id, {
      id,
      authorizationUrl: location,
      shape: parseShape(options.get('shape') ?? DEFAULT_SHAPE),
      replay: options.get('replay') === '1',
      actions: options.get('actions') === '1',
    });
    const cookie = `${SESSION_COOKIE}=${id}; Path=/callback; HttpOnly; SameSite=Lax`;
    response.writeHead(302, { location, 'set-cookie': cookie, 'cache-control': 'no-store' }).end();
  }

  async #callback(request, response) {
    const query = request.url.slice((request.url + '?').indexOf('?'));
    const session = this.#sessionOf(query, request.headers.cookie ?? '');
    if (!session) return send(response, 400, pages.problem('This callback belongs to no session that was started here.'));
    session.report = await this.#complete(session, query);
    // Away from the URL that has the code in it: it would stay in the browser's history.
    response.writeHead(303, { location: `/done/${session.id}`, 'cache-control': 'no-store' }).end();
  }

  async #complete(session, query) {
    if (session.report) return { ...session.report, problems: [...session.report.problems, 'callback: called twice'] };
    const { code, problems, outline } = checkCallback(query, session);
    const sent = rawPairs(new URL(session.authorizationUrl).search).map(([name]) => name);
    const report = { session: session.id, authorization: { sent, preset_and_repeated: sent.length !== new Set(sent).size }, callback: outline, problems };
    if (code === undefined) return report;
    const settings = { ...this.settings, tokenUrl: new URL(this.settings.tokenPath, this.settings.broker) };
    const redirectUri = this.callbackUrl;
    try {
      const { problems: later, ...used } = await redeemAndUse(settings, { ...session, code, redirectUri });
      return { ...report, ...used, problems: [...problems, ...later] };
    } catch (error) {
      return { ...report, shape: shapeName(session.shape), problems: [...problems, `${error.name}: ${error.message}`] };
    }
  }

  /** By its state when that is one of ours, else by the browser's cookie (state is not always sent). */
  #sessionOf(query, cookies) {
    const stateOf = (text) => rawPairs(text).find(([name]) => name === 'state')?.[1];
    const state = stateOf(query);
    const waiting = [...this.#sessions.values()].filter((session) => !session.report);
    const byState = waiting.find((session) => state && stateOf(new URL(session.authorizationUrl).search) === state);
    const id = cookies.split('; ').find((cookie) => cookie.startsWith(`${SESSION_COOKIE}=`))?.split('=')[1];
    return byState ?? this.#sessions.get(id);
  }
}

function outcomeOf(report) {
  if (!report) return 'unknown';
  if (report.callback.error) return `error: ${report.callback.error}`;
  return report.problems.length === 0 ? 'connected' : 'failed';
}

function send(response, status, html) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html);
}

function sendJson(response, value) {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(value, null, 2)}\n`);
}

/** An emulator that listens. `settings`: broker, plaid, client {id, secret}; optional plaidClient and paths. */
export async function startEmulator(settings, port = 0) {
  return new Emulator(settings).listen(port);
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      broker: text,
      plaid: text,
      'client-id': text,
      'client-secret': text,
      'plaid-client-id': text,
      'plaid-secret': text,
      'authorization-path': { ...text, default: '/' },
      'token-path': { ...text, default: '/api/send_the_access_token_AUTH' },
      port: { ...text, default: '0' },
    },
  });
  const missing = ['broker', 'plaid', 'client-id', 'client-secret'].filter((name) => !values[name]);
  if (missing.length > 0) {
    process.stderr.write(`missing: ${missing.map((name) => `--${name}`).join(', ')}\n`);
    process.exit(2);
  }
  const client = { id: values['client-id'], secret: values['client-secret'] };
  const plaidClient = {
    id: values['plaid-client-id'] ?? client.id,
    secret: values['plaid-secret'] ?? client.secret,
  };
  const { broker, plaid } = values;
  const paths = { authorizationPath: values['authorization-path'], tokenPath: values['token-path'] };
  const emulator = await startEmulator({ broker, plaid, client, plaidClient, ...paths }, Number(values.port));
  process.stdout.write(`listening on ${emulator.url}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
