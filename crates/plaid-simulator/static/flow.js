// Link's flow. The simulator decides what comes next; this shows it and says what the person did.
import { plaidError, post } from './calls.js';
import * as manual from './manual.js';
import * as panes from './panes.js';

const FATAL = ['INVALID_LINK_TOKEN', 'INCORRECT_LINK_TOKEN', 'OAUTH_STATE_ID_ALREADY_PROCESSED', 'OAUTH_STATE_ID_NOT_FOUND'];

// Pop-ups do not exist in the views that apps show pages in; Android's say so (https://plaid.com/docs/link/oauth/).
const hasPopups = () => !navigator.userAgent.includes('; wv)');

let out = null; // event, success, exit, redirect, expand: whoever runs Link
let session = null;

// Plaid tells OPEN as it happens and everything else when Link ends.
const tell = (events = []) => {
  for (const event of events) {
    if (event.name === 'OPEN') out.event(event);
    else session.untold.push(event);
  }
};

const tellRest = () => {
  for (const event of session.untold.splice(0)) out.event(event);
};

// One step. Gives the answer, or null when the error was shown or Link has ended meanwhile.
const step = async (name, values = {}) => {
  const mine = session;
  const body = { ...session.who, link_session_id: session.id, ...values };
  const { answer, error, events } = await post(`session/${name}`, body);
  if (session !== mine) return null;
  tell(events);
  session.requestId = (answer ?? error).request_id ?? session.requestId;
  if (!error) {
    session.id = answer.link_session_id ?? session.id;
    if (answer.pane) show(answer.pane);
    return answer;
  }
  if (FATAL.includes(error.error_code) || session.id === '') {
    await leave(error);
  } else {
    const message = error.display_message ?? error.error_message;
    panes.failed({ error, message }, { onRetry: () => step('again') });
  }
  return null;
};

// Ends the session. With an error of the link token itself there is nothing to show.
export const leave = async (fatal = null) => {
  if (!session) return;
  const ending = session;
  const { who, id, requestId, pane } = session;
  const { answer, events } = id ? await post('session/exit', { ...who, link_session_id: id }) : {};
  if (session !== ending) return;
  tell(events);
  const lastTold = session.untold.at(-1);
  tellRest();
  session = null;
  const metadata = answer?.metadata ?? {
    institution: pane?.institution ?? null,
    status: pane?.exit_status ?? null,
    // One that could not begin is known by its events alone.
    link_session_id: id || (lastTold?.metadata.link_session_id ?? ''),
    request_id: requestId,
  };
  const error = fatal ? plaidError(fatal) : (answer?.error ?? null);
  out.exit({ error, metadata, completion: answer?.completion_redirect_uri ?? null, started: id !== '' });
};

const finish = async () => {
  const answer = await step('finish');
  if (!answer) return;
  tellRest();
  session = null;
  out.success({
    publicToken: answer.public_token,
    metadata: answer.metadata,
    completion: answer.completion_redirect_uri ?? null,
  });
};

// Settles when the bank's page says that it is done, or its window is gone.
const bankIsDone = (popup, state) =>
  new Promise((resolve) => {
    const end = () => {
      clearInterval(timer);
      window.removeEventListener('message', heard);
      resolve();
    };
    const heard = ({ origin, data }) => {
      if (origin === window.location.origin && data?.bank === state) end();
    };
    const timer = setInterval(() => {
      if (popup.closed) end();
    }, 250);
    window.addEventListener('message', heard);
  });

const visitBank = async (pane) => {
  const mine = session;
  const state = pane.oauth_state_id;
  const url = new URL(`bank.html?oauth_state_id=${encodeURIComponent(state)}`, import.meta.url);
  // Here and now: browsers open windows only during a click.
  const popup = hasPopups() ? window.open(url, '_blank', 'popup,width=480,height=760') : null;
  const answer = await step('oauth', { popup: popup !== null });
  if (session !== mine || !answer || answer.pane) {
    popup?.close();
    return;
  }
  if (!popup) {
    tellRest();
    session = null;
    out.redirect(url.href);
    return;
  }
  panes.atTheBank(pane, { onShow: () => popup.focus(), onCancel: () => popup.close() });
  await bankIsDone(popup, state);
  popup.close();
  if (session === mine) await step('oauth_result');
};

const PANES = {
  CONSENT: (pane) => panes.consent(pane, { onContinue: () => step('continue') }),
  SELECT_AUTH_TYPE: () => manual.authType({ onSelect: (selection) => step('auth_type', { selection }) }),
  SELECT_INSTITUTION: (pane) =>
    panes.institutions(pane, {
      find: async (query) => (await step('institutions', { query }))?.institutions ?? null,
      onSelect: (institution) => {
        out.expand();
        return step('select', { institution_id: institution.institution_id });
      },
      onManual: () => {
        out.expand();
        return step('manual');
      },
    }),
  CREDENTIAL: (pane) =>
    panes.credentials(pane, {
      onBack: () => step('back'),
      onSubmit: (username, password) => step('login', { username, password }),
    }),
  MFA: (pane) => panes.mfa(pane, { onSubmit: (answers) => step('mfa', { answers }) }),
  OAUTH: (pane) => panes.oauth(pane, { onBack: () => step('back'), onVisit: () => visitBank(pane) }),
  SELECT_ACCOUNT: (pane) => panes.accounts(pane, { onContinue: (chosen) => step('accounts', { account_ids: chosen }) }),
  NUMBERS: (pane) => (pane.asks_code ? depositCode(pane) : numbers(pane)),
  INSTANT_MICRODEPOSIT_AUTHORIZED: depositCode,
  SAME_DAY_MICRODEPOSIT_VERIFICATION: depositCode,
  CONNECTED: (pane) => (pane.closes_at_once ? finish() : panes.connected(pane, { onFinish: finish })),
  ERROR: (pane) =>
    panes.failed(pane, {
      onRetry: () => step('again'),
      onBack: pane.updating ? null : () => step('back'),
      onManual: pane.manual ? () => step('manual') : null,
    }),
};

function numbers(pane) {
  manual.numbers(pane, { onSubmit: (typed) => step('numbers', typed), onBack: () => step('back') });
}

function depositCode(pane) {
  manual.depositCode(pane, { onSubmit: (code) => step('deposit_code', { code }) });
}

function show(pane) {
  session.pane = pane;
  PANES[pane.view](pane);
}

export const isOpen = () => session !== null;

// `who` is {link_token} or {hosted}; `listed` skips the first pane.
export const open = async ({ who, receivedRedirectUri = null, listed = false }, listener) => {
  out = listener;
  session = { who, id: '', requestId: '', pane: null, untold: [] };
  panes.waiting();
  const mine = session;
  const answer = await step('start', { received_redirect_uri: receivedRedirectUri });
  if (answer && listed && session === mine && answer.pane.view === 'CONSENT') await step('continue');
};
