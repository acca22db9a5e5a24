// Runs the checks when the page opens and on "Check again". Findings come as they are made, in any order, and are put where
// they belong: what failed first, then the warnings, then the rest; within each in the order of the broker's own list.

const WORDS = { ok: "OK", warning: "Warning", failed: "Failed", skipped: "Skipped" };

const RANKS = ["failed", "warning"];

const list = document.querySelector("#findings");
const status = document.querySelector("#checks-status");
const again = document.querySelector("#check-again");
const template = document.querySelector("#finding");
const root = document.querySelector("#setup").dataset.root;
let source = null;

/** Whether `one` stands before `other`: two numbers each, the first one decides. */
function isBefore([rank, place], [otherRank, otherPlace]) {
  return rank === otherRank ? place < otherPlace : rank < otherRank;
}

function where(item) {
  return [Number(item.dataset.rank), Number(item.dataset.place)];
}

function show(finding) {
  const item = template.content.firstElementChild.cloneNode(true);
  const word = item.querySelector(".mark-word");
  word.dataset.status = finding.status;
  word.textContent = WORDS[finding.status] ?? finding.status;
  item.dataset.id = finding.id;
  item.dataset.status = finding.status;
  item.querySelector(".what").textContent = finding.title;
  item.querySelector(".found").textContent = finding.found;
  item.querySelector(".fix").textContent = finding.fix ?? "";
  const rank = RANKS.indexOf(finding.status);
  Object.assign(item.dataset, { rank: rank < 0 ? RANKS.length : rank, place: finding.place });
  const next = [...list.children].find((other) => isBefore(where(item), where(other)));
  list.insertBefore(item, next ?? null);
}

function end(words) {
  source?.close();
  source = null;
  again.disabled = false;
  status.textContent = words;
}

function count(kind) {
  return list.querySelectorAll(`li[data-status="${kind}"]`).length;
}

function run() {
  list.replaceChildren();
  again.disabled = true;
  status.textContent = "Checking…";
  source = new EventSource(`${root}setup/checks?at=${encodeURIComponent(location.origin)}`);
  source.addEventListener("finding", (event) => show(JSON.parse(event.data)));
  source.addEventListener("done", () => {
    const [failed, warnings] = [count("failed"), count("warning")];
    end(failed + warnings === 0 ? "All checks passed." : `${failed} failed, ${warnings} warnings.`);
  });
  // Not again by itself: each run calls Plaid.
  source.addEventListener("error", () => end("The checks did not come to their end. Check again, or reload the page."));
}

again.hidden = false;
again.addEventListener("click", run);
run();
