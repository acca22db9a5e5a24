// Link's flow: consent, institution, credentials, code, accounts, success. It speaks with the page that opened
// it through one message channel, and with the simulator through the calls beside this script.
import * as panes from './panes.js';

const VIEWS = {
  consent: 'CONSENT',
  institutions: 'SELECT_INSTITUTION',
  credentials: 'CREDENTIAL',
  code: 'MFA',
  accounts: 'SELECT_ACCOUNT',
  connected: 'CONNECTED',
  error: 'ERROR',
};

let port = null;
let session = null;

// Whoever may frame this page is the frame-ancestors policy's matter; this only refuses senders that are not
// the page around it, and other sites where no policy came with the page.
const isLoopback = (origin) => ['localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname);
const isOurs = ({ source, origin }) =>
  source === window.parent && (origin === window.location.origin || isLoopback(origin));

const send = (kind, values = {}) => port.postMessage({ kind, ...values });

const emit = (name, values = {}) =>
  send('event', {
    name,
    metadata: {
      error_type: null,
      error_code: null,
      error_message: null,
      exit_status: null,
      institution_id: session.institution?.institution_id ?? null,
      institution_name: session.institution?.name ?? null,
      institution_search_query: null,
      is_update_mode: String(session.updating),
      match_reason: null,
      mfa_type: null,
      routing_number: null,
      account_number_mask: null,
      view_name: null,
      selection: null,
      timestamp: new Date().toISOString(),
      link_session_id: session.id,
      request_id: session.requestId,
      ...values,
    },
  });

const view = (name, status) => {
  session.status = status;
  emit('TRANSITION_VIEW', { view_name: VIEWS[name] });
};

const unreachable = {
  error_type: 'API_ERROR',
  error_code: 'INTERNAL_SERVER_ERROR',
  error_message: 'The Link simulator could not be reached.',
  display_message: 'The simulator could not be reached. Is it still running?',
};

// Gives {answer} or {error}; never throws.
const call = async (step, values = {}) => {
  try {
    const response = await fetch(new URL(`session/${step}`, import.meta.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ link_token: session.token, link_session_id: session.id, ...values }),
    });
    const answer = await response.json();
    session.requestId = answer.request_id ?? session.requestId;
    return response.ok ? { answer } : { error: answer };
  } catch {
    return { error: unreachable };
  }
};

const plaidError = ({ error_type, error_code, error_message, display_message }) => ({
  error_type,
  error_code,
  error_message,
  display_message,
});

// Ends the session for the page. With an error of the link token itself there is nothing to show: the page has
// to come with a new one.
const leave = async (fatal = null) => {
  const ending = session;
  const status = session.status;
  const { answer } = session.id ? await call('exit', { status }) : {};
  if (session !== ending) return;
  const error = fatal ? plaidError(fatal) : (answer?.error ?? session.error);
  const metadata = answer?.metadata ?? {
    institution: session.institution,
    status,
    link_session_id: session.id,
    request_id: session.requestId,
  };
  emit('EXIT', {
    exit_status: metadata.status,
    error_type: error?.error_type ?? null,
    error_code: error?.error_code ?? null,
    error_message: error?.error_message ?? null,
  });
  session = null;
  send('exit', { error, metadata });
};

// Shows an error, or leaves when the link token is at fault. Gives whether there was one.
const stopped = (error, onRetry, status = session.status) => {
  if (!error) return false;
  if (error.error_code === 'INVALID_LINK_TOKEN') {
    leave(error);
    return true;
  }
  session.error = plaidError(error);
  emit('ERROR', session.error);
  view('error', status);
  panes.failed({ error, onRetry });
  return true;
};

const finish = async () => {
  const { answer, error } = await call('finish');
  if (!session || stopped(error, showInstitutions)) return;
  emit('HANDOFF');
  session = null;
  send('success', { publicToken: answer.public_token, metadata: answer.metadata });
};

const showConnected = () => {
  view('connected', null);
  panes.connected({ institution: session.institution, onFinish: finish });
};

const showAccounts = (accounts) => {
  view('accounts', 'requires_account_selection');
  panes.accounts({
    institution: session.institution,
    accounts,
    onContinue: async (chosen) => {
      const { error } = await call('accounts', { account_ids: chosen });
      if (!session || stopped(error, showInstitutions)) return;
      showConnected();
    },
  });
};

const showCode = (wrong) => {
  view('code', 'requires_code');
  panes.code({
    wrong,
    onSubmit: async (typed) => {
      emit('SUBMIT_MFA', { mfa_type: 'code' });
      const { answer, error } = await call('code', { code: typed });
      if (!session) return;
      if (error?.error_code === 'INVALID_MFA') {
        session.error = plaidError(error);
        emit('ERROR', session.error);
        showCode(error.display_message);
        return;
      }
      if (!stopped(error, showCredentials)) next(answer);
    },
  });
};

const next = (answer) => {
  session.error = null;
  if (answer.next === 'code') showCode();
  else if (answer.next === 'accounts') showAccounts(answer.accounts);
  else showConnected();
};

const showCredentials = () => {
  view('credentials', 'requires_credentials');
  panes.credentials({
    institution: session.institution,
    onBack: session.updating ? null : showInstitutions,
    onSubmit: async (username, password) => {
      emit('SUBMIT_CREDENTIALS');
      const values = { institution_id: session.institution.institution_id, username, password };
      const { answer, error } = await call('login', values);
      if (!session) return;
      const unsupported = error?.error_code === 'INSTITUTION_NO_LONGER_SUPPORTED';
      const retry = unsupported ? showInstitutions : showCredentials;
      const status = unsupported ? 'institution_not_supported' : 'requires_credentials';
      if (!stopped(error, retry, status)) next(answer);
    },
  });
};

function showInstitutions() {
  session.institution = null;
  view('institutions', null);
  return panes.institutions({
    find: async (query) => {
      const { answer, error } = await call('institutions', { query });
      if (!session || stopped(error, showInstitutions)) return null;
      return answer.institutions;
    },
    onNothingFound: (nothing) => {
      session.status = nothing ? 'institution_not_found' : null;
    },
    onSelect: (institution) => {
      session.institution = institution;
      emit('SELECT_INSTITUTION');
      showCredentials();
    },
  });
}

const open = async (token) => {
  session = {
    token,
    id: '',
    requestId: '',
    institution: null,
    updating: false,
    status: null,
    error: null,
  };
  panes.waiting();
  const opening = session;
  const { answer, error } = await call('start');
  if (session !== opening) return;
  if (error) {
    leave(error);
    return;
  }
  session.id = answer.link_session_id;
  session.institution = answer.update_institution;
  session.updating = answer.update_institution !== null;
  emit('OPEN');
  view('consent', session.updating ? 'requires_credentials' : null);
  panes.consent({
    clientName: answer.client_name,
    onContinue: session.updating ? showCredentials : showInstitutions,
  });
};

// The question of whether to leave; asked twice it is answered with "stay".
let stay = null;
const askToLeave = () => {
  if (!session) return;
  if (stay && document.getElementById('heading')?.textContent.startsWith('Are you sure')) {
    stay();
    stay = null;
    return;
  }
  stay = panes.confirmExit({ onExit: () => leave() });
};

const keepFocusInside = (event) => {
  const reachable = [...document.querySelectorAll('button, input')].filter((node) => !node.disabled);
  const first = reachable.at(0);
  const last = reachable.at(-1);
  const outside = !reachable.includes(document.activeElement);
  if (event.shiftKey && (document.activeElement === first || outside)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
};

document.getElementById('close').onclick = askToLeave;
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') askToLeave();
  if (event.key === 'Tab') keepFocusInside(event);
});

const take = {
  open: ({ token }) => open(token),
  exit: ({ force }) => {
    if (!session) return;
    if (force) leave();
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

window.addEventListener('message', begin);
// It says nothing but that the frame is there, so any page around may hear it.
window.parent.postMessage('plaid-link-simulator:ready', '*');
