// What the emulated OAuth client does after the callback, server to server: code → token → Plaid → refresh.
//
// Results say whether things were right, never what the secrets were: they end up in reports and test output.

import { buildTokenRequest, shapeName } from './shapes.mjs';

const TIMEOUT_MS = 60_000;

/** Posts, and reads the answer as JSON where it is JSON. */
async function post(url, { headers, body }) {
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Told by `json: null`; the callers count it as a problem.
  }
  return { status: response.status, headers: response.headers, json };
}

/** What a token answer should be, as a list of what is wrong with it. */
function problemsOfTokenAnswer({ status, headers, json }) {
  if (status !== 200 || json === null) return [`status ${status}${json === null ? ', body is not JSON' : ''}`];
  const problems = [];
  const expect = (holds, problem) => holds || problems.push(problem);
  expect(/^application\/json\b/.test(headers.get('content-type') ?? ''), 'content type is not application/json');
  expect((headers.get('cache-control') ?? '').includes('no-store'), 'Cache-Control lacks no-store');
  expect(typeof json.access_token === 'string' && json.access_token.startsWith('access-'), 'no Plaid access_token');
  expect(json.token_type === 'Bearer', 'token_type is not Bearer');
  expect(typeof json.refresh_token === 'string' && json.refresh_token !== '', 'no refresh_token');
  expect(typeof json.scope === 'string', 'no scope');
  expect(typeof json.item_id === 'string' && json.item_id !== '', 'no item_id');
  expect(json.closeWindow === true, 'closeWindow is not true');
  return problems;
}

/** An answer without its secrets. */
function outlineOfTokenAnswer(answer) {
  return {
    status: answer.status,
    fields: Object.keys(answer.json ?? {}).sort(),
    scope: answer.json?.scope,
    expires_in: answer.json?.expires_in,
    error: answer.json?.error,
    error_description: answer.json?.error_description,
    plaid_error_code: answer.json?.plaid_error_code,
  };
}

/** A call as Kore.ai makes it: the token in the payload, Plaid's keys in the headers. */
function callPlaid(settings, path, body) {
  return post(new URL(path, settings.plaid), {
    headers: {
      'content-type': 'application/json',
      'plaid-client-id': settings.plaidClient.id,
      'plaid-secret': settings.plaidClient.secret,
    },
    body: JSON.stringify(body),
  });
}

/** Kore.ai's active actions: the path, and the member of the response that has the data. */
const ACTIONS = {
  'real-time balance': ['/accounts/balance/get', 'accounts'],
  'investment holdings': ['/investments/holdings/get', 'holdings'],
  'investment transactions': ['/investments/transactions/get', 'investment_transactions'],
  liabilities: ['/liabilities/get', 'liabilities'],
};

function daysAgo(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

/** Runs every action. Returns Plaid's error code for each, or `null` where data came. */
async function runActions(settings, accessToken) {
  const outcomes = {};
  for (const [name, [path, member]] of Object.entries(ACTIONS)) {
    const dates = path === '/investments/transactions/get' ? { start_date: daysAgo(30), end_date: daysAgo(0) } : {};
    let answer;
    // Plaid prepares the data of a new Item for a few seconds.
    for (let tries = 0; tries < 20; tries += 1) {
      answer = await callPlaid(settings, path, { access_token: accessToken, ...dates });
      if (answer.json?.error_code !== 'PRODUCT_NOT_READY') break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const hasData = answer.status === 200 && answer.json?.[member] !== undefined;
    outcomes[name] = hasData ? null : (answer.json?.error_code ?? `status ${answer.status}`);
  }
  return outcomes;
}

async function readBalance(settings, accessToken) {
  const answer = await callPlaid(settings, '/accounts/balance/get', { access_token: accessToken });
  const accounts = Array.isArray(answer.json?.accounts) ? answer.json.accounts.length : 0;
  return { status: answer.status, accounts, error_code: answer.json?.error_code };
}

function problemsOfBalance(balance) {
  return balance.status === 200 && balance.accounts > 0 ? [] : ['Plaid gave no accounts for the access token'];
}

/**
 * Redeems `code` in the given shape, calls Plaid, refreshes at the same URL, calls Plaid again, and (with
 * `replay`) sends the code a second time, which must be refused. With `actions` it runs each of Kore.ai's actions. Returns
 * a report without secrets.
 */
export async function redeemAndUse(settings, { code, shape, redirectUri, replay = false, actions = false }) {
  const problems = [];
  const note = (step, found) => problems.push(...found.map((problem) => `${step}: ${problem}`));
  const request = (grantType, parameters) =>
    post(settings.tokenUrl, buildTokenRequest(shape, grantType, parameters, redirectUri, settings.client));

  const report = { shape: shapeName(shape), problems };
  const token = await request('authorization_code', { code });
  report.token = outlineOfTokenAnswer(token);
  note('token', problemsOfTokenAnswer(token));
  if (token.status !== 200 || typeof token.json?.access_token !== 'string') return report;

  report.balance = await readBalance(settings, token.json.access_token);
  note('balance', problemsOfBalance(report.balance));

  const refresh = await request('refresh_token', { refresh_token: token.json.refresh_token });
  report.refresh = outlineOfTokenAnswer(refresh);
  note('refresh', problemsOfTokenAnswer(refresh));
  report.refresh.same_access_token = refresh.json?.access_token === token.json.access_token;
  report.refresh.same_refresh_token = refresh.json?.refresh_token === token.json.refresh_token;
  if (!report.refresh.same_access_token) note('refresh', ['another access token than before']);

  if (typeof refresh.json?.access_token === 'string') {
    report.balance_after_refresh = await readBalance(settings, refresh.json.access_token);
    note('balance after refresh', problemsOfBalance(report.balance_after_refresh));
  }
  if (actions) report.actions = await runActions(settings, token.json.access_token);
  if (replay) {
    const second = await request('authorization_code', { code });
    report.replay = outlineOfTokenAnswer(second);
    if (second.status !== 400 || second.json?.error !== 'invalid_grant') note('replay', ['not refused as invalid_grant']);
  }
  return report;
}
