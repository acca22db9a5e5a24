// Starts the real binary in a directory of its own, and stops it again.

import { execFile, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BROKER_BIN, freshOutput } from './output.mjs';

const START_MS = 60_000;
// Longer than the broker takes to drain (65 seconds), so that it is never killed in the middle.
const STOP_MS = 75_000;

/** The simulator's own keys: public, and shaped like Plaid's. */
export const SIMULATOR_KEYS = { id: '5a11ced0c0ffee0000000001', secret: '51a11a7ed5ec4e7000000000000001' };

const ADDRESS_LINES = {
  url: /^listening on (http:\/\/\S+)$/m,
  simulatorUrl: /^simulator listening on (http:\/\/\S+)$/m,
  operationsUrl: /^operations listening on (http:\/\/\S+)$/m,
};

/** Runs the binary with `args` until it printed every address in `wanted` (keys of `ADDRESS_LINES`). */
async function startBinary(name, args, env, wanted, files = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'plaid-token-broker-'));
  for (const [file, content] of Object.entries(files)) await writeFile(join(directory, file), content);
  const stdoutPath = freshOutput(`${name}.stdout.log`);
  const stderrPath = freshOutput(`${name}.stderr.log`);
  // Nothing of the caller's environment: a developer's own PLAID_* settings must not reach the test.
  const settings = { PATH: process.env.PATH, RUST_LOG: 'info,plaid_token_broker=debug,plaid_simulator=debug', RUST_BACKTRACE: '1', ...env };
  const child = spawn(BROKER_BIN, args, { cwd: directory, env: settings, stdio: ['ignore', 'pipe', 'pipe'] });

  let stdout = '';
  let stderr = '';
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    appendFileSync(stderrPath, chunk);
  });
  const started = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name}: no addresses within ${START_MS} ms\n${stderr}`)), START_MS).unref();
    child.once('error', (error) => reject(new Error(`${BROKER_BIN}: ${error.message}`)));
    exited.then(({ code }) => reject(new Error(`${name}: ended with ${code} before it listened\n${stdout}${stderr}`)));
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      appendFileSync(stdoutPath, chunk);
      const found = wanted.map((key) => [key, ADDRESS_LINES[key].exec(stdout)?.[1]]);
      if (found.some(([, address]) => address === undefined)) return;
      clearTimeout(timer);
      resolve(Object.fromEntries(found));
    });
  });

  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const { code, signal } = await exited;
    clearTimeout(timer);
    await rm(directory, { recursive: true, force: true });
    if (code !== 0) throw new Error(`${name}: SIGTERM ended it with ${code ?? signal} instead of 0`);
  };
  try {
    /** A single-use link, as the command prints it in the broker's directory. */
    const adminLink = async () => {
      const printed = await promisify(execFile)(BROKER_BIN, ['admin-link'], { cwd: directory, env: settings });
      return printed.stdout.trim();
    };
    return { name, directory, child, stop, adminLink, ...(await started) };
  } catch (error) {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The broker with its embedded simulator: what a person gets who has no Plaid keys. */
export function startSimulatedBroker(name, env = {}, files = {}) {
  const addresses = { APP_PORT: '0', BROKER_SIMULATOR_BIND: '127.0.0.1:0', BROKER_OPS_BIND: '127.0.0.1:0' };
  return startBinary(name, [], { ...addresses, ...env }, ['url', 'simulatorUrl', 'operationsUrl'], files);
}

/** The simulator alone. */
export async function startSimulator(name) {
  const simulator = await startBinary(name, ['simulate', '--bind', '127.0.0.1:0'], {}, ['simulatorUrl']);
  return { ...simulator, url: simulator.simulatorUrl };
}

/** The broker as it runs with an operator's keys, Plaid's API being the given simulator. */
export function startSandboxBroker(name, simulatorUrl, redirectUri, env = {}) {
  const settings = {
    APP_PORT: '0',
    BROKER_OPS_BIND: '127.0.0.1:0',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: SIMULATOR_KEYS.id,
    PLAID_SECRET: SIMULATOR_KEYS.secret,
    PLAID_BASE_URL: simulatorUrl,
    PLAID_REDIRECT_URI: redirectUri,
    ...env,
  };
  return startBinary(name, [], settings, ['url', 'operationsUrl']);
}

/** The broker with a `.env` in its directory, as an operator starts it. */
export function startWithDotenv(name, dotenv, env = {}) {
  return startBinary(name, [], env, ['url', 'operationsUrl'], { '.env': dotenv });
}
