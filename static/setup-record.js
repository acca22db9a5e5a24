// The requests as they come, the latest first. The connection is made again when it breaks, and rests while nobody looks.

const SHOWN = 200;
const RETRY_MS = 3000;

const root = document.querySelector("#setup").dataset.root;
const list = document.querySelector("#entries");
const status = document.querySelector("#record-status");
const pause = document.querySelector("#pause");
const filter = document.querySelector("#filter");
const template = document.querySelector("#entry");
const waiting = [];
let source = null;
let last = "";
let retry = 0;

function fill(item, entry) {
  const set = (selector, text) => (item.querySelector(selector).textContent = text);
  item.dataset.id = entry.id;
  item.dataset.client = entry.client ?? "unknown";
  item.dataset.outcome = entry.outcome;
  item.querySelector(".mark-word").dataset.status = entry.outcome;
  set(".mark-word", [entry.status, entry.error].filter(Boolean).join(" "));
  set(".what", entry.name);
  set(".client", item.dataset.client);
  set(".count", entry.count > 1 ? `${entry.count} times` : "");
  const at = new Date(entry.at);
  item.querySelector("time").dateTime = at.toISOString();
  set("time", at.toLocaleTimeString());
  set(".words", entry.words);
  set(".fix", entry.fix ?? "");
  item.querySelector(".remarks").replaceChildren(...entry.remarks.map((remark) => {
    const line = document.createElement("li");
    line.textContent = remark;
    return line;
  }));
  set(".sent", entry.sent);
  set(".request-id", entry.request_id);
}

function isWanted(item) {
  const { client, refused } = filter.elements;
  const { client: of, outcome } = item.dataset;
  // A rehearsal's requests are many, and fail on purpose.
  const chosen = client.value === "" ? of !== "rehearsal" : of === client.value;
  return chosen && (!refused.checked || outcome !== "good");
}

function show(entry) {
  const known = list.querySelector(`li[data-id="${entry.id}"]`);
  const item = known ?? template.content.firstElementChild.cloneNode(true);
  fill(item, entry);
  item.hidden = !isWanted(item);
  list.prepend(item);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  document.querySelector("#no-entries").hidden = true;
  if (entry.allowable) offer(entry);
}

/** A refused callback, with its button. */
function offer(entry) {
  const refused = document.querySelector("#refused");
  if ([...refused.children].some(({ dataset }) => dataset.client === entry.client && dataset.uri === entry.redirect_uri)) return;
  const item = document.querySelector("#refused-row").content.firstElementChild.cloneNode(true);
  Object.assign(item.dataset, { client: entry.client, uri: entry.redirect_uri });
  item.querySelector(".uri").textContent = entry.redirect_uri;
  item.querySelector(".client").textContent = entry.client;
  item.querySelector(".found").textContent = entry.words;
  item.querySelector("[name=client_id]").value = entry.client;
  item.querySelector("[name=redirect_uri]").value = entry.redirect_uri;
  item.querySelector("button").setAttribute("aria-label", `Allow ${entry.redirect_uri}`);
  refused.prepend(item);
  document.querySelector("#refused-heading").hidden = false;
  document.querySelector("#refused-warning").hidden = false;
}

function isPaused() {
  return pause.getAttribute("aria-pressed") === "true";
}

function take(entry) {
  if (!isPaused()) return show(entry);
  waiting.push(entry);
  if (waiting.length > SHOWN) waiting.shift();
  status.textContent = `Paused: ${waiting.length} waiting.`;
}

function connect() {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`${root}setup/record${last ? `?after=${encodeURIComponent(last)}` : ""}`);
  source.addEventListener("open", () => (status.textContent = isPaused() ? "Paused." : "Live."));
  source.addEventListener("reset", () => {
    list.replaceChildren();
    waiting.length = 0;
  });
  source.addEventListener("entry", (event) => {
    last = event.lastEventId;
    take(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    status.textContent = "The connection is lost; trying again. If it stays so, reload the page.";
    // After an answer that is no stream a browser does not try again by itself.
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(connect, RETRY_MS);
  });
}

pause.addEventListener("click", () => {
  const paused = !isPaused();
  pause.setAttribute("aria-pressed", String(paused));
  if (!paused) waiting.splice(0).forEach(show);
  status.textContent = paused ? "Paused." : "Live.";
});
filter.addEventListener("change", () => {
  for (const item of list.children) item.hidden = !isWanted(item);
});
filter.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(retry);
    source?.close();
    source = null;
    status.textContent = "Resting while nobody looks.";
  } else if (!source) connect();
});
pause.hidden = false;
filter.hidden = false;
connect();
