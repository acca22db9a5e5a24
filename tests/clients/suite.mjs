// Plaid's own library for Node.js (plaid, unmodified but for the base URL) makes every call of calls.json. It checks no
// types while it runs; what it does is checked: how it sends keys, reads answers and files, and raises errors.
//
//   node suite.mjs REPORT    writes what was called, as JSON, for docs/simulator.md
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Configuration, PlaidApi } from 'plaid';

const root = new URL('../../', import.meta.url);
const table = JSON.parse(await readFile(new URL('calls.json', import.meta.url), 'utf8'));
const NAMES = { '/payment_initiation/payment/token/create': 'createPaymentToken' };
const report = {};
let failures = 0;

const methodOf = (path) =>
  NAMES[path] ?? path.slice(1).replace(/[/_]([a-z])/g, (_, letter) => letter.toUpperCase());

function fail(text) {
  failures += 1;
  console.log('FAILED', text);
}

async function startSimulator() {
  const binary = process.env.BROKER_BIN ?? new URL('target/debug/plaid-token-broker', root).pathname;
  const child = spawn(binary, ['simulate', '--bind', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, RUST_LOG: 'warn' },
  });
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).match(/http:\S+/)[0] };
}

/** A receiver of webhooks that keeps the id of the key that signed. */
async function startReceiver() {
  const receiver = { kid: null, came: null };
  receiver.first = new Promise((resolve) => (receiver.came = resolve));
  receiver.server = createServer((request, response) => {
    const [head] = request.headers['plaid-verification'].split('.');
    request.resume();
    response.end();
    receiver.came(JSON.parse(Buffer.from(head, 'base64url')).kid);
  }).listen(0, '127.0.0.1');
  await once(receiver.server, 'listening');
  receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`;
  return receiver;
}

function fill(value, context) {
  if (typeof value === 'string' && value.startsWith('$')) {
    assert.ok(value.slice(1) in context, `${value} was not given by an earlier call`);
    return context[value.slice(1)];
  }
  if (Array.isArray(value)) return value.map((one) => fill(one, context));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one, context)]));
  }
  return value;
}

async function answer(api, step, body) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await api[methodOf(step.path)](body, step.file ? { responseType: 'arraybuffer' } : {});
    } catch (error) {
      const told = error.response?.data;
      const code = told?.error_code ?? (told ? JSON.parse(Buffer.from(told)).error_code : undefined);
      if (code !== step.wait || attempt >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function call(api, step, context) {
  const body = fill(step.body, context);
  let given;
  try {
    given = await answer(api, step, body);
  } catch (error) {
    const told = error.response?.data ?? {};
    if (told.error_type && told.error_type === step.may_refuse) return;
    throw new Error(`${error.response?.status} ${told.error_code}: ${told.error_message ?? error.message}`);
  }
  assert.equal(given.status, 200);
  if (step.file) {
    assert.equal(given.headers['content-type'], step.file);
    assert.equal(Buffer.from(given.data).subarray(0, 5).toString(), '%PDF-');
  } else {
    assert.match(given.data.request_id, /^[A-Za-z0-9]{5,}$/);
  }
  for (const [name, path] of Object.entries(step.save ?? {})) {
    context[name] = path.split('.').reduce((value, part) => value[part], given.data);
  }
}

/** What every path refuses, as this library raises it. */
async function refusals(api, step, context) {
  const body = fill(step.body, context);
  const attempts = [['UNKNOWN_FIELDS', { ...body, no_such_field: 1 }]];
  for (const [code, wrong] of attempts) {
    const error = await api[methodOf(step.path)](wrong).then(
      () => null,
      (raised) => raised,
    );
    assert.equal(error?.response?.data?.error_code, code, `${step.path}: ${code}`);
    assert.equal(error.response.status, 400);
  }
}

const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const simulator = await startSimulator();
const receiver = await startReceiver();
try {
  const api = new PlaidApi(
    new Configuration({
      basePath: simulator.url,
      baseOptions: {
        headers: {
          'PLAID-CLIENT-ID': '5a11ced0c0ffee0000000001',
          'PLAID-SECRET': '51a11a7ed5ec4e7000000000000001',
          'Plaid-Version': '2020-09-14',
        },
      },
    }),
  );
  const context = { webhook: receiver.url, today: day(0), months_ago: day(120) };
  for (const step of table) {
    try {
      if (step.body.key_id) context.key_id = await receiver.first;
      if (!report[step.path]) {
        await refusals(api, step, context);
        report[step.path] = { answers: 0 };
      }
      await call(api, step, context);
      report[step.path].answers += 1;
    } catch (error) {
      fail(`${step.path}: ${error.message}`);
    }
  }
} finally {
  simulator.child.kill();
  receiver.server.close();
}
console.log(`node: ${Object.keys(report).length} paths, ${failures} failures`);
console.log(`${Object.keys(report).length} passed, ${failures} failed, 0 skipped`);
if (process.argv[2]) await writeFile(process.argv[2], JSON.stringify(report, null, 1));
process.exitCode = failures ? 1 : 0;
