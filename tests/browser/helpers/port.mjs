// For settings that have to name the port before anything listens on it.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ports that systems choose themselves (Linux: from 32768, macOS and Windows: from 49152): one of those could be
// given to a connection or to another test before the broker listens on it.
const FIRST = 20_000;
const END = 32_768;

/** A port of this machine that was free a moment ago. */
export async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, END);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
