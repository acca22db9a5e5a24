// The authorization request and its answer, both as raw text: `state` must come back byte for byte.

import { randomBytes } from 'node:crypto';

/** Characters that a careless server re-encodes, trims, drops or escapes twice. */
const AWKWARD = ` a+b%2B&c=d/?#"'<>\\{}|^~*!()é漢😀;,:@$%`;

/** A fresh `state` with every awkward character in it. */
export function awkwardState() {
  return randomBytes(12).toString('base64url') + AWKWARD;
}

/** The raw pairs of a query string, still percent-encoded. */
export function rawPairs(query) {
  return query
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    });
}

/** What a client reads from a raw value: `+` is a space, then percent-decoding. */
export function decode(raw) {
  return decodeURIComponent(raw.replaceAll('+', ' '));
}

/**
 * The Authorization URL that a browser is sent to. `preset` names parameters that an operator already typed
 * into the URL's query (Kore.ai's guides do so) and that are then appended once more with the same value.
 */
export function authorizationUrl(base, parameters, preset) {
  const url = new URL(base);
  const pairs = Object.entries(parameters);
  const encode = ([name, value]) => `${name}=${encodeURIComponent(value)}`;
  const typedIn = pairs.filter(([name]) => preset.includes(name)).map(encode);
  url.search = [...rawPairs(url.search).map((pair) => pair.join('=')), ...typedIn, ...pairs.map(encode)].join('&');
  return url.href;
}

/** What came back, compared with what was sent; no values of secrets. */
export function checkCallback(query, session) {
  const pairs = rawPairs(query);
  const values = (name) => pairs.filter(([key]) => key === name).map(([, value]) => value);
  const single = (name) => (values(name).length === 0 ? undefined : decode(values(name)[0]));
  const problems = [];
  for (const name of new Set(pairs.map(([key]) => key))) {
    if (values(name).length > 1) problems.push(`callback: ${name} came ${values(name).length} times`);
  }
  const [rawState] = values('state');
  const sent = rawPairs(new URL(session.authorizationUrl).search).find(([name]) => name === 'state')?.[1];
  let state = 'absent';
  if (rawState !== undefined || sent !== undefined) state = rawState === sent ? 'unchanged' : 'changed';
  if (state === 'changed') problems.push('callback: state is not what was sent, byte for byte');
  const code = single('code');
  const error = single('error');
  if ((code === undefined) === (error === undefined)) problems.push('callback: exactly one of code and error expected');
  return {
    code,
    problems,
    outline: { parameters: pairs.map(([name]) => name).sort(), state, iss: single('iss'), error, error_description: single('error_description') },
  };
}
