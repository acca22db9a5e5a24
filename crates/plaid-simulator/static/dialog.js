// What is the same wherever Link runs: the button to leave, the question before it, and the keyboard.
import { isOpen, leave } from './flow.js';
import * as panes from './panes.js';

// The question of whether to leave; asked twice it is answered with "stay".
let stay = null;

export const askToLeave = () => {
  if (!isOpen() || stay?.()) return;
  stay = panes.confirmExit({ onExit: () => leave() });
};

const keepFocusInside = (event) => {
  const reachable = [...document.querySelectorAll('button, input')].filter((node) => !node.disabled && node.offsetParent);
  const first = reachable.at(0);
  const last = reachable.at(-1);
  if (!first) return;
  const outside = !reachable.includes(document.activeElement);
  if (event.shiftKey && (document.activeElement === first || outside)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
};

// `isModal` tells whether the focus has to stay inside.
export const listen = (isModal) => {
  document.getElementById('close').onclick = askToLeave;
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') askToLeave();
    if (event.key === 'Tab' && isModal()) keepFocusInside(event);
  });
};
