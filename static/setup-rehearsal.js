// Rehearses on the button, and shows each step as it ends: the answer is one JSON object a line.

const WORDS = { ok: "OK", failed: "Failed", skipped: "Skipped" };
const VERDICTS = {
  ok: "All good.",
  failed: "Some steps failed. Follow their advice, then rehearse again.",
  unreachable: "Could not reach the broker or Plaid.",
};
const BROKEN = "The rehearsal stream ended early. Reload the page and try again.";

const list = document.querySelector("#steps");
const status = document.querySelector("#rehearsal-status");
const button = document.querySelector("#rehearse");
const template = document.querySelector("#step");
const root = document.querySelector("#setup").dataset.root;

function show(step) {
  const item = template.content.firstElementChild.cloneNode(true);
  const word = item.querySelector(".mark-word");
  word.dataset.status = step.outcome;
  word.textContent = WORDS[step.outcome] ?? step.outcome;
  item.dataset.status = step.outcome;
  item.querySelector(".what").textContent = step.name;
  item.querySelector(".found").textContent = step.found;
  item.querySelector(".fix").textContent = step.fix ?? "";
  list.append(item);
}

/** Gives what is to be said at the end. */
async function rehearse() {
  const headers = { "X-Broker-Admin": button.dataset.proof };
  const response = await fetch(`${root}setup/rehearse`, { method: "POST", headers });
  if (!response.ok) return (await response.json()).message ?? BROKEN;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return BROKEN;
    text += value;
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines.map((line) => JSON.parse(line))) {
      if (line.verdict) return VERDICTS[line.verdict] ?? BROKEN;
      show(line);
    }
  }
}

button.hidden = false;
status.textContent = "";
button.addEventListener("click", async () => {
  button.disabled = true;
  list.replaceChildren();
  status.textContent = "Rehearsing…";
  try {
    status.textContent = await rehearse();
  } catch {
    status.textContent = BROKEN;
  } finally {
    button.disabled = false;
  }
});
