// What Link shows: one function per pane, each of which fills the pane and tells what the person did.
import { actions, alertText, choice, choices, element, field, form, mainButton, otherButton, soft } from './elements.js';

const pane = document.getElementById('pane');
let quiet = false;

// An embedded list of banks is part of somebody else's page and must not take the focus.
export const takeFocus = (allowed) => {
  quiet = !allowed;
};

export const focus = (node) => {
  if (!quiet) node.focus();
};

// The heading takes the focus, so that a screen reader reads each pane from its top.
export const show = (heading, ...content) => {
  const title = element('h1', { id: 'heading', tabIndex: -1 }, heading);
  pane.replaceChildren(title, ...content);
  focus(title);
};

// Where a person whose bank is not there, or does not work, goes on.
const manualButton = (onManual) => actions(otherButton('Link with account numbers', onManual));

export const problemText = (problem) => (problem ? [alertText(problem)] : []);

export const waiting = () => show('One moment…');

export const consent = ({ client_name }, { onContinue }) =>
  show(
    `${client_name} wants to connect to your bank`,
    element('p', {}, 'This is a simulation of Plaid Link for trying things out.'),
    soft('Do not type the login of a real bank here. Test logins are shown on the way.'),
    actions(mainButton('Continue', { onclick: onContinue })),
  );

export const institutions = ({ manual }, { find, onSelect, onManual }) => {
  const list = element('ul');
  const status = element('p', { className: 'soft', role: 'status' });
  const [label, search] = field('search', 'Search', { type: 'search' });
  let asked = 0;
  let latest = null;
  const refresh = async () => {
    asked += 1;
    const mine = asked;
    // One after the other: the simulator remembers what the latest search found.
    const earlier = latest;
    latest = (async () => {
      await earlier;
      return mine === asked ? find(search.value) : null;
    })();
    const found = await latest;
    if (found === null || mine !== asked) return;
    status.textContent = found.length === 0 ? 'No bank found. Try another name.' : '';
    const button = (institution) =>
      element('button', { type: 'button', onclick: () => onSelect(institution) }, institution.name);
    list.replaceChildren(...found.map((institution) => element('li', {}, button(institution))));
  };
  search.oninput = refresh;
  show('Select your bank', label, search, status, list, ...(manual ? [manualButton(onManual)] : []));
  return refresh();
};

export const credentials = ({ institution, updating }, { onSubmit, onBack }) => {
  const [userLabel, username] = field('username', 'Username');
  const [passwordLabel, password] = field('password', 'Password', { type: 'password' });
  show(
    `Log in at ${institution.name}`,
    soft('Test login: user_good with pass_good. With the password mfa_device a code is asked for.'),
    form(
      [userLabel, username, passwordLabel, password],
      'Submit',
      () => onSubmit(username.value, password.value),
      updating ? [] : [otherButton('Back', onBack)],
    ),
  );
  focus(username);
};

// The bank asks something beside the password.
export const mfa = ({ mfa_type, asked, hint, problem }, { onSubmit }) => {
  const given = [];
  const fields = [];
  const radios = (name, legend, options) => {
    const rows = options.map(({ id, label }, at) => choice({ type: 'radio', name, id, label, checked: name === 'device' && at === 0 }));
    given.push(() => rows.find(({ input }) => input.checked)?.input.dataset.answer ?? '');
    rows.forEach(({ input }, at) => {
      input.dataset.answer = options[at].answer;
    });
    fields.push(choices(legend, rows.map(({ row }) => row)));
  };
  if (mfa_type === 'device') {
    radios('device', 'Where should the bank send a code to?', asked.map(({ id, text }) => ({ id, label: text, answer: id })));
  } else {
    for (const { id, text, answers } of asked) {
      if (answers) {
        radios(id, text, answers.map((answer) => ({ id: `${id}-${answer}`, label: answer, answer })));
      } else {
        const [label, input] = field(id, text, mfa_type === 'code' ? { inputMode: 'numeric' } : {});
        given.push(() => input.value);
        fields.push(label, input);
      }
    }
  }
  const submit = mfa_type === 'device' ? 'Send code' : 'Submit';
  show('Verify your identity', ...problemText(problem), soft(hint), form(fields, submit, () => onSubmit(given.map((read) => read()))));
  const first = pane.querySelector('input');
  if (first && !problem) focus(first);
};

export const oauth = ({ institution, updating }, { onVisit, onBack }) =>
  show(
    `Log in at ${institution.name}`,
    element('p', {}, `You go to ${institution.name}'s own page to log in and to give your permission.`),
    soft('It is a simulated page as well: any login works there, also an empty one.'),
    actions(mainButton('Continue to login', { onclick: onVisit }), ...(updating ? [] : [otherButton('Back', onBack)])),
  );

export const atTheBank = ({ institution }, { onShow, onCancel }) =>
  show(
    'Continue at your bank',
    element('p', {}, `Log in in the window of ${institution.name}. Then you come back here.`),
    actions(mainButton('Show the window', { onclick: onShow }), otherButton('Cancel', onCancel)),
  );

export const accounts = ({ institution, accounts: offered, single, problem }, { onContinue }) => {
  const missing = element('p', { className: 'error', role: 'alert' }, problem ?? '');
  const rows = offered.map(({ id, name, mask, selected }) =>
    choice({ type: single ? 'radio' : 'checkbox', name: 'account', id, label: name, note: mask ? `••••${mask}` : '', checked: selected }),
  );
  show(
    single ? 'Select an account' : 'Select accounts',
    form([choices(`Your accounts at ${institution.name}`, rows.map(({ row }) => row)), missing], 'Continue', () => {
      const chosen = rows.filter(({ input }) => input.checked).map(({ input }) => input.value);
      if (chosen.length > 0) return onContinue(chosen);
      missing.textContent = single ? 'Select an account.' : 'Select at least one account.';
      return undefined;
    }),
  );
};

export const connected = ({ institution, note }, { onFinish }) => {
  const what = institution?.name ?? 'Your account';
  const notes = note ? [element('p', {}, note)] : [];
  show('Success', element('p', {}, `${what} is connected (in the simulator).`), ...notes, form([], 'Finish', onFinish));
};

export const failed = ({ message, error }, { onRetry, onBack, onManual = null }) =>
  show(
    'That did not work',
    alertText(message),
    soft(`${error.error_type} / ${error.error_code}`),
    actions(mainButton('Try again', { onclick: onRetry }), ...(onBack ? [otherButton('Choose another bank', onBack)] : [])),
    ...(onManual ? [manualButton(onManual)] : []),
  );

// Asks over the pane, which comes back untouched when the person stays.
export const confirmExit = ({ onExit }) => {
  const before = [...pane.childNodes];
  const focused = document.activeElement;
  const stay = () => {
    pane.replaceChildren(...before);
    focused?.focus();
  };
  show(
    'Are you sure you want to exit?',
    element('p', {}, 'Your progress will be lost.'),
    actions(mainButton('Yes, exit', { onclick: onExit }), otherButton('No, stay', stay)),
  );
  const question = pane.firstChild;
  // Undefined once another pane has taken the question's place.
  return () => (question.isConnected ? (stay(), true) : false);
};
