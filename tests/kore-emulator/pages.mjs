// The emulator's own pages: as plain as can be, and without anything a browser would load on top.

const escape = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

function page(title, body) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>${escape(title)}</title></head>
<body><h1>${escape(title)}</h1>${body}</body></html>`;
}

/** A chat window: its button opens the authorization in a pop-up and waits for the callback page's message. */
export function popupOpener(startPath) {
  return page(
    'Kore.ai emulator: chat',
    `<button id="open">Authorize</button><p id="status" role="status">waiting</p>
<script>
  const status = document.getElementById('status');
  document.getElementById('open').addEventListener('click', () => {
    window.open(${JSON.stringify(startPath)}, 'authorization', 'width=480,height=720');
    status.textContent = 'opened';
  });
  window.addEventListener('message', (event) => {
    if (event.origin === location.origin && event.data.kind === 'authorization') status.textContent = event.data.outcome;
  });
</script>`,
  );
}

/** Kore.ai's web SDK with `allowIframe: true`: the authorization inside a frame. */
export function framed(startPath) {
  return page('Kore.ai emulator: frame', `<iframe title="authorization" src="${escape(startPath)}" width="400" height="600"></iframe>`);
}

/** Where the callback ends. In a pop-up it tells the opener and closes. */
export function done(outcome, sessionId) {
  return page(
    'Kore.ai emulator: done',
    `<p id="outcome">${escape(outcome)}</p><p><a href="/report/${escape(sessionId)}">Report</a></p>
<script>
  if (window.opener) {
    window.opener.postMessage({ kind: 'authorization', outcome: ${JSON.stringify(outcome)} }, location.origin);
    window.close();
  }
</script>`,
  );
}

/** Anything that cannot be answered. */
export function problem(message) {
  return page('Kore.ai emulator: problem', `<p>${escape(message)}</p>`);
}
