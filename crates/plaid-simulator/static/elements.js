// Making elements without markup in text: nothing that a bank is called can become markup.

export const element = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

export const mainButton = (text, properties) => element('button', { type: 'button', className: 'main', ...properties }, text);
export const otherButton = (text, onclick) => element('button', { type: 'button', className: 'other', onclick }, text);
export const actions = (...buttons) => element('div', { className: 'actions' }, ...buttons);
export const soft = (text) => element('p', { className: 'soft' }, text);
export const alertText = (text) => element('p', { className: 'error', role: 'alert' }, text);

// A form whose button rests while the answer is awaited.
export const form = (fields, submitText, onSubmit, more = []) => {
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

// A labelled line of text. Gives [label, input].
export const field = (id, label, properties = {}) => [
  element('label', { htmlFor: id }, label),
  element('input', { type: 'text', id, autocomplete: 'off', autocapitalize: 'none', spellcheck: false, ...properties }),
];

// A box or a round button with its label, and a note beside it.
export const choice = ({ type, name, id, label, note = '', checked = false }) => {
  const input = element('input', { type, name, id, value: id, checked });
  const row = element('div', { className: 'choice' }, input, element('label', { htmlFor: id }, label));
  if (note) {
    input.setAttribute('aria-describedby', `note-${id}`);
    row.append(element('span', { className: 'soft', id: `note-${id}` }, note));
  }
  return { input, row };
};

export const choices = (legend, rows) => element('fieldset', {}, element('legend', {}, legend), ...rows);
