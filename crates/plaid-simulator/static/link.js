// Link in a frame. It speaks with the page around it through one message channel.
import { askToLeave, listen } from './dialog.js';
import * as flow from './flow.js';
import { takeFocus } from './panes.js';

let port = null;

// Whoever may frame this page is the frame-ancestors policy's matter; this only refuses senders that are not
// the page around it, and other sites where no policy came with the page.
const isLoopback = (origin) => ['localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname);
const isOurs = ({ source, origin }) =>
  source === window.parent && (origin === window.location.origin || isLoopback(origin));

const send = (kind, values = {}) => port.postMessage({ kind, ...values });

// In an embedded list of banks there is nothing to close, and the focus comes and goes as in any page.
const setListed = (listed) => {
  document.body.classList.toggle('listed', listed);
  document.getElementById('close').hidden = listed;
  takeFocus(!listed);
};

const listener = {
  event: (event) => send('event', event),
  success: ({ publicToken, metadata }) => send('success', { publicToken, metadata }),
  exit: ({ error, metadata }) => send('exit', { error, metadata }),
  redirect: (url) => send('redirect', { url }),
  expand: () => {
    if (!document.body.classList.contains('listed')) return;
    send('expand');
    setListed(false);
  },
};

const take = {
  open: ({ token, receivedRedirectUri, listed }) => {
    setListed(listed === true);
    flow.open({ who: { link_token: token }, receivedRedirectUri, listed }, listener);
  },
  exit: ({ force }) => {
    if (!flow.isOpen()) return;
    if (force) flow.leave();
    else askToLeave();
  },
};

const begin = (message) => {
  if (!isOurs(message) || message.data !== 'plaid-link-simulator:start' || message.ports.length !== 1) return;
  window.removeEventListener('message', begin);
  [port] = message.ports;
  port.onmessage = ({ data }) => take[data?.kind]?.(data);
  send('ready');
};

listen(() => !document.body.classList.contains('listed'));
window.addEventListener('message', begin);
// It says nothing but that the frame is there, so any page around may hear it.
window.parent.postMessage('plaid-link-simulator:ready', '*');
