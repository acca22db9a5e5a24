// The checks, which run when the page opens, and the rehearsal: both answer with one JSON object a line, a finding each, and
// the verdict at the end.

const WORDS = { ok: "OK", warning: "Warning", failed: "Failed", skipped: "Skipped" };
const RANKS = ["failed", "warning"];
const BROKEN = "The stream ended early. Reload the page and try again.";

const root = document.querySelector("#setup").dataset.root;
const template = document.querySelector("#finding");

/** What failed comes first, then the warnings, then the rest; within each in the order of the broker's list. */
function rank({ status, place }) {
  const index = RANKS.indexOf(status);
  return (index < 0 ? RANKS.length : index) * 1000 + Number(place);
}

function show(list, finding) {
  const item = template.content.firstElementChild.cloneNode(true);
  Object.assign(item.dataset, { id: finding.id, status: finding.status });
  const word = item.querySelector(".mark-word");
  word.dataset.status = finding.status;
  word.textContent = WORDS[finding.status] ?? finding.status;
  item.querySelector(".what").textContent = finding.title;
  item.querySelector(".found").textContent = finding.found;
  item.querySelector(".fix").textContent = finding.fix ?? "";
  // Steps have no place: they come in order.
  if (finding.place !== undefined) item.dataset.place = finding.place;
  const next = [...list.children].find(({ dataset }) => rank(dataset) > rank(item.dataset));
  list.insertBefore(item, next ?? null);
}

/** Shows each finding, and returns the verdict. */
async function read(response, list) {
  if (!response.ok) throw new Error((await response.json()).message ?? BROKEN);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(BROKEN);
    const lines = (text + value).split("\n");
    text = lines.pop();
    for (const line of lines.filter(Boolean).map((line) => JSON.parse(line))) {
      if (line.verdict) return line.verdict;
      show(list, line);
    }
  }
}

/** `ask` sends the request; `summary` is what the verdict says to people. */
function prepare(section, running, ask, summary) {
  const [list, status, button] = [".findings", "[role=status]", "button"].map((selector) => section.querySelector(selector));
  const run = async () => {
    button.disabled = true;
    list.replaceChildren();
    status.textContent = running;
    try {
      status.textContent = summary(await read(await ask(button), list), list);
    } catch (error) {
      status.textContent = error.constructor === Error ? error.message : BROKEN;
    } finally {
      button.disabled = false;
    }
  };
  button.hidden = false;
  status.textContent = "";
  button.addEventListener("click", run);
  return run;
}

const VERDICTS = {
  ok: "All good.",
  failed: "Some steps failed. Follow their advice, then rehearse again.",
  unreachable: "Could not reach the broker or Plaid.",
};
prepare(
  document.querySelector("#rehearsal"),
  "Rehearsing…",
  (button) => fetch(`${root}setup/rehearse`, { method: "POST", headers: { "X-Broker-Admin": button.dataset.proof } }),
  (verdict) => VERDICTS[verdict],
);

const runChecks = prepare(
  document.querySelector("#checks"),
  "Checking…",
  () => fetch(`${root}setup/checks?at=${encodeURIComponent(location.origin)}`),
  (_, list) => {
    const [failed, warnings] = ["failed", "warning"].map((status) => list.querySelectorAll(`li[data-status="${status}"]`).length);
    return failed + warnings === 0 ? "All checks passed." : `${failed} failed, ${warnings} warnings.`;
  },
);
runChecks();
