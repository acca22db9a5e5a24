// Where tests leave what the secrets scan reads afterwards, and the pictures.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const TARGET = process.env.CARGO_TARGET_DIR ? resolve(process.env.CARGO_TARGET_DIR) : join(ROOT, 'target');

export const BROKER_BIN = process.env.BROKER_BIN ?? join(TARGET, 'debug', 'plaid-token-broker');
export const OUTPUT = join(process.env.TEST_OUTPUT ?? join(TARGET, 'test-output'), 'browser');
export const SCREENSHOTS = join(TARGET, 'screenshots');

mkdirSync(OUTPUT, { recursive: true });
mkdirSync(SCREENSHOTS, { recursive: true });

/** The file of this name, emptied. */
export function freshOutput(name) {
  const path = join(OUTPUT, name);
  writeFileSync(path, '');
  return path;
}

/** One line more. */
export function appendOutput(path, line) {
  appendFileSync(path, `${line}\n`);
}

/**
 * Keeps a page's HTML for the scan. The one token that a page may hold is its own handle, which is useless
 * without the cookie: it is masked here, so that the scan can be strict about everything else.
 */
export async function keepPage(page, name) {
  writeFileSync(join(OUTPUT, `${name}.html`), maskPage(await page.content()));
}

/** A text as it may be kept: Chromium's console names the address of an app that it cannot open. */
export function maskCode(text) {
  return text.replaceAll(/([?&]code=)[^&#'"\s]+/g, '$1[code]');
}

// What the set-up page says beside the simulator's secret, in simulator mode alone. There, and nowhere else, it may be shown.
const SAYS_PUBLIC = /The simulator.{1,8}s secret, which is public\./;
const PUBLIC_SECRET = '51a11a7ed5ec4e7000000000000001';

/** A page as it may be kept. */
export function maskPage(html) {
  const masked = html
    .replace(/(\bdata-(handle|request)=")[^"]*/g, '$1[$2]')
    // The way on for a browser that does not open an app by itself: the code is on its way to the client there.
    .replace(/(<a id="continue"[^>]*[?&]code=)[^&"]*/g, '$1[code]');
  return SAYS_PUBLIC.test(masked) ? masked.replaceAll(PUBLIC_SECRET, '[public secret]') : masked;
}

/** A URL as it may be kept: without the code on its way to the client, and without Link's own token. */
export function maskUrl(url) {
  const masked = new URL(url);
  if (masked.pathname === '/callback' && masked.searchParams.has('code')) masked.searchParams.set('code', '[code]');
  if (/\/link\/(v2\/stable\/)?[^/]*$/.test(masked.pathname) && masked.searchParams.has('token')) {
    masked.searchParams.set('token', '[link token]');
  }
  // A single-use link of the administration.
  masked.pathname = masked.pathname.replace(/(\/setup\/login\/).+/, '$1[link]');
  return masked.href;
}
