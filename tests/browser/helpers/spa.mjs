// A web page that is an OAuth client without a server, as a developer writes it with oidc-client-ts.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const LIBRARY = createRequire(import.meta.url).resolve('oidc-client-ts').replace(/dist\/.*$/, 'dist/browser/oidc-client-ts.min.js');

const PAGE = `<!doctype html><html lang="en"><head><title>A page that is a client</title></head>
  <body><h1>Budget</h1><p role="status"></p><button>Connect a bank</button>
  <script src="/library.js"></script><script src="/app.js"></script></body></html>`;

/** The page's own script: `issuer` is the broker, found by its metadata. */
const script = (issuer, clientId) => `
  const status = document.querySelector('[role=status]');
  window.manager = new oidc.UserManager({
    authority: ${JSON.stringify(issuer)},
    metadataUrl: ${JSON.stringify(`${issuer}/.well-known/oauth-authorization-server`)},
    client_id: ${JSON.stringify(clientId)},
    redirect_uri: location.origin + '/callback',
    scope: 'auth transactions',
    automaticSilentRenew: false,
    userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  });
  document.querySelector('button').addEventListener('click', () => window.manager.signinRedirect());
  if (location.pathname === '/callback') {
    window.manager.signinCallback().then(() => { status.textContent = 'connected'; }, (error) => { status.textContent = error.message; });
  }
`;

/** Serves the page. Its broker is named by `configure`, because the broker has to know the page's address first. */
export async function startSpa() {
  const library = await readFile(LIBRARY);
  let app = '';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://page.invalid');
    const found = { '/library.js': library, '/app.js': app, '/': PAGE, '/callback': PAGE }[pathname];
    const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(found === undefined ? 204 : 200, { 'Content-Type': type });
    response.end(found);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    configure: (issuer, clientId) => {
      app = script(issuer, clientId);
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
