// What Link shows: one function per pane, each of which fills the pane and tells what the person did.

const pane = document.getElementById('pane');

export const element = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

// The heading takes the focus, so that a screen reader reads each pane from its top.
const show = (heading, ...content) => {
  const title = element('h1', { id: 'heading', tabIndex: -1 }, heading);
  pane.replaceChildren(title, ...content);
  title.focus();
};

const mainButton = (text, properties) => element('button', { className: 'main', ...properties }, text);
const otherButton = (text, onclick) => element('button', { type: 'button', className: 'other', onclick }, text);
const actions = (...buttons) => element('div', { className: 'actions' }, ...buttons);
const soft = (text) => element('p', { className: 'soft' }, text);

export const waiting = () => show('One moment…');

export const consent = ({ clientName, onContinue }) =>
  show(
    `${clientName} wants to connect to your bank`,
    element('p', {}, 'This is a simulation of Plaid Link for trying things out.'),
    soft('Do not type the login of a real bank here. Test logins are shown on the way.'),
    actions(mainButton('Continue', { type: 'button', onclick: onContinue })),
  );

export const institutions = ({ find, onSelect, onNothingFound }) => {
  const list = element('ul');
  const status = element('p', { className: 'soft', role: 'status' });
  const search = element('input', { type: 'search', id: 'search', autocomplete: 'off' });
  let asked = 0;
  const refresh = async () => {
    asked += 1;
    const mine = asked;
    const found = await find(search.value);
    if (found === null || mine !== asked) return;
    onNothingFound(found.length === 0 && search.value !== '');
    status.textContent = found.length === 0 ? 'No bank found. Try another name.' : '';
    list.replaceChildren(
      ...found.map((institution) =>
        element(
          'li',
          {},
          element('button', { type: 'button', onclick: () => onSelect(institution) }, institution.name),
        ),
      ),
    );
  };
  search.oninput = refresh;
  show('Select your bank', element('label', { htmlFor: 'search' }, 'Search'), search, status, list);
  return refresh();
};

// A form whose button rests while the answer is awaited.
const form = (fields, submitText, onSubmit, more = []) => {
  const submit = mainButton(submitText, { type: 'submit' });
  const node = element('form', {}, ...fields, actions(submit, ...more));
  node.onsubmit = async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    try {
      await onSubmit();
    } finally {
      submit.disabled = false;
    }
  };
  return node;
};

export const credentials = ({ institution, onSubmit, onBack }) => {
  const username = element('input', { type: 'text', id: 'username', autocomplete: 'off', autocapitalize: 'none', spellcheck: false });
  const password = element('input', { type: 'password', id: 'password', autocomplete: 'off' });
  show(
    `Log in at ${institution.name}`,
    soft('Test login: user_good with pass_good. With the password mfa_device a code is asked for.'),
    form(
      [
        element('label', { htmlFor: 'username' }, 'Username'),
        username,
        element('label', { htmlFor: 'password' }, 'Password'),
        password,
      ],
      'Submit',
      () => onSubmit(username.value, password.value),
      onBack ? [otherButton('Back', onBack)] : [],
    ),
  );
  username.focus();
};

export const code = ({ wrong, onSubmit }) => {
  const input = element('input', { type: 'text', id: 'code', inputMode: 'numeric', autocomplete: 'off' });
  show(
    'Verify your identity',
    ...(wrong ? [element('p', { className: 'error', role: 'alert' }, wrong)] : []),
    soft('Test users always get the code 1234.'),
    form([element('label', { htmlFor: 'code' }, 'Code'), input], 'Submit', () => onSubmit(input.value)),
  );
  input.focus();
};

export const accounts = ({ institution, accounts: offered, onContinue }) => {
  const problem = element('p', { className: 'error', role: 'alert' });
  const boxes = offered.map(({ id }) =>
    element('input', { type: 'checkbox', id, value: id, checked: true, 'aria-describedby': `mask-${id}` }),
  );
  const rows = offered.map((account, at) =>
    element(
      'div',
      { className: 'account' },
      boxes[at],
      element('label', { htmlFor: account.id }, account.name),
      element('span', { className: 'soft', id: `mask-${account.id}` }, `••••${account.mask}`),
    ),
  );
  show(
    'Select accounts',
    form(
      [element('fieldset', {}, element('legend', {}, `Your accounts at ${institution.name}`), ...rows), problem],
      'Continue',
      () => {
        const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
        if (chosen.length > 0) return onContinue(chosen);
        problem.textContent = 'Select at least one account.';
        return undefined;
      },
    ),
  );
};

export const connected = ({ institution, onFinish }) =>
  show(
    'Success',
    element('p', {}, `${institution.name} is connected (in the simulator).`),
    form([], 'Finish', onFinish),
  );

export const failed = ({ error, onRetry }) =>
  show(
    'That did not work',
    element('p', { className: 'error', role: 'alert' }, error.display_message ?? error.error_message),
    soft(`${error.error_type} / ${error.error_code}`),
    actions(
      ...(onRetry ? [mainButton('Try again', { type: 'button', onclick: onRetry })] : []),
    ),
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
    actions(
      mainButton('Yes, exit', { type: 'button', onclick: onExit }),
      otherButton('No, stay', stay),
    ),
  );
  return stay;
};
