// Hosted Link: Link as a page of its own, which sends the browser on when it ends, whichever way.
// https://plaid.com/docs/link/hosted-link/
import { listen } from './dialog.js';
import { element } from './elements.js';
import * as flow from './flow.js';
import { show } from './panes.js';

const end = (heading, text) => {
  document.getElementById('close').hidden = true;
  show(heading, element('p', {}, text));
};

const goOn = (completion, heading) => {
  if (completion) window.location.replace(completion);
  end(heading, completion ? 'You are taken back…' : 'You can close this page and go back to your app.');
};

const listener = {
  event: () => {},
  expand: () => {},
  success: ({ completion }) => goOn(completion, 'Done'),
  exit: ({ completion, started }) => {
    if (started) goOn(completion, 'You have left');
    else end('This link does not work any more', 'It has expired, or it was used before. Go back to your app and ask for a new one.');
  },
  redirect: (url) => window.location.assign(url),
};

const here = new URL(window.location.href);
const who = { hosted: here.pathname.split('/').at(-1) };
const receivedRedirectUri = here.searchParams.has('oauth_state_id') ? here.href : null;
if (receivedRedirectUri) {
  // A reload begins anew instead of bringing the bank's answer again.
  window.history.replaceState(null, '', here.pathname);
}
listen(() => false);
flow.open({ who, receivedRedirectUri }, listener);
