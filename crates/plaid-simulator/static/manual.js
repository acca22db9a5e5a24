// The panes for account numbers: how to connect, the numbers, and the code of a micro-deposit.
import { actions, choice, choices, element, field, form, mainButton, otherButton, soft } from './elements.js';
import { focus, problemText, show } from './panes.js';

export const authType = ({ onSelect }) =>
  show(
    'How do you want to connect?',
    actions(
      mainButton('Instantly, with your bank login', { onclick: () => onSelect('flow_type_instant') }),
      otherButton('Manually, with account numbers', () => onSelect('flow_type_manual')),
    ),
  );

const NAMES = { checking: 'Checking', savings: 'Savings' };

export const numbers = (pane, { onSubmit, onBack }) => {
  const [routingLabel, routing] = field('routing', 'Routing number', { inputMode: 'numeric', required: true });
  const [accountLabel, account] = field('account', 'Account number', { inputMode: 'numeric', required: true });
  const [nameLabel, name] = field('name', 'Your full name', { required: true });
  const kinds = pane.subtypes.map((subtype, at) =>
    choice({ type: 'radio', name: 'subtype', id: subtype, label: NAMES[subtype], checked: at === 0 }),
  );
  const consent = pane.makes_deposit ? [soft('By continuing you allow one deposit of $0.01 into this account.')] : [];
  const back = pane.subtypes.length ? 'Choose a bank instead' : 'Back';
  show(
    'Type your account numbers',
    ...problemText(pane.problem),
    soft(`Do not type real ones here. ${pane.hint}`),
    form(
      [
        routingLabel, routing, accountLabel, account,
        ...(pane.asks_name ? [nameLabel, name] : []),
        ...(kinds.length ? [choices('Kind of account', kinds.map(({ row }) => row))] : []),
        ...consent,
      ],
      'Continue',
      () =>
        onSubmit({
          routing_number: routing.value,
          account_number: account.value,
          name: name.value,
          subtype: kinds.find(({ input }) => input.checked)?.input.value ?? '',
        }),
      [otherButton(back, onBack)],
    ),
  );
  if (!pane.problem) focus(routing);
};

export const depositCode = ({ hint, problem }, { onSubmit }) => {
  const [label, code] = field('code', 'Code', { required: true });
  show(
    'Type the code of the deposit',
    element('p', {}, 'It is the three letters before ACCTVERIFY, in the description of a deposit of $0.01.'),
    ...problemText(problem),
    soft(hint),
    form([label, code], 'Submit', () => onSubmit(code.value)),
  );
  if (!problem) focus(code);
};
