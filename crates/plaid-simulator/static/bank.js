// The own page of a bank with OAuth login: any login, boxes of which data to share, yes or no.
// As in Plaid's Sandbox any login is let in and the boxes change nothing.
import { post } from './calls.js';
import { actions, alertText, choice, choices, element, field, form, mainButton, otherButton, soft } from './elements.js';
import { show } from './panes.js';

const state = new URLSearchParams(window.location.search).get('oauth_state_id') ?? '';

const over = (message) => show('This page cannot go on', alertText(message));

// The username only tells one login at this bank from another.
let login = '';

const decide = async (granted) => {
  const { answer, error } = await post('bank/decide', { oauth_state_id: state, granted, username: login });
  if (error) {
    over(error.display_message ?? error.error_message);
  } else if (answer.return_to) {
    window.location.replace(answer.return_to);
  } else {
    window.opener?.postMessage({ bank: state }, window.location.origin);
    window.close();
    show('Done', element('p', {}, 'You can close this window.'));
  }
};

const cancel = otherButton('Cancel', () => decide(false));

const askConsent = ({ institution, client_name }) => {
  const wanted = ['Account details', 'Balances', 'Transactions', 'Contact details'];
  const rows = wanted.map((label, at) => choice({ type: 'checkbox', name: 'data', id: `data-${at}`, label, checked: true }).row);
  show(
    `Share your data with ${client_name}?`,
    soft('The boxes change nothing in the simulator.'),
    choices(`${institution.name} will share`, rows),
    actions(mainButton('Agree and continue', { onclick: () => decide(true) }), cancel),
  );
};

const logIn = (about) => {
  const [userLabel, username] = field('username', 'Username');
  const [passwordLabel, password] = field('password', 'Password', { type: 'password' });
  show(
    about.institution.name,
    soft('Any login works, also an empty one.'),
    form([userLabel, username, passwordLabel, password], 'Log in', () => {
      login = username.value;
      askConsent(about);
    }, [cancel]),
  );
  document.title = `${about.institution.name} (simulator)`;
  username.focus();
};

const { answer, error } = await post('bank/look', { oauth_state_id: state });
if (answer) logIn(answer);
else over(error.error_message);
