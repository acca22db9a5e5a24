// The Link page's flow: load Plaid Link, open it on a click, hand what it returns to the broker, and send the
// browser on. Plaid's side of it: https://plaid.com/docs/link/web/
//
// The tokens that pass through here live in variables alone: never in a URL or in the console, and in the tab's storage
// only the link token, which a bank's own login needs on its way back (https://plaid.com/docs/link/oauth/).

const page = document.getElementById("link");
const button = document.getElementById("connect");
const cancelButton = document.getElementById("cancel");
const continueLink = document.getElementById("continue");
const statusLine = document.getElementById("status");
const problemBox = document.getElementById("problem");

const { root, environment } = page.dataset;
let { client } = page.dataset;
const nonce = document.getElementById("link-module").nonce;
const connectLabel = button.textContent;

// Plaid supports Link only when its script comes from there; the simulator brings a stand-in.
const PLAID_SCRIPT = "https://cdn.plaid.com/link/v2/stable/link-initialize.js";
const LOAD_TIMEOUT = 20_000;
const CALL_TIMEOUT = 60_000;

// The handle identifies to the broker which of this browser's tabs is calling. It is kept for the page that a bank's
// own login returns to, which is opened in the same tab. The sealed request is what the broker stores when Link is
// opened or the person cancels; after that the handle is enough.
const HANDLE_KEY = "broker-handle";
const LINK_TOKEN_KEY = "broker-link-token";
const CLIENT_KEY = "broker-client";

let state = "loading"; // also in the page's data-state
let onButton = null; // what the main button does now; null while something is under way
let handler = null; // Plaid's Link handler; there is at most one
let session = null; // stands for the Link session whose callbacks count
let linked = null; // what Link handed over, until the broker has it
let renewed = false; // whether an expired link token was renewed without a click
let lastExit = null; // how Link ended last time; sent again when the person cancels for good

// ---- What the page shows ----------------------------------------------------------------------------------

// `message` is progress, announced politely. `problem` ({title, message, details}) is announced at once and gets the focus.
// Without an `action` the button is busy.
function show(name, { message = "", problem = null, label = connectLabel, action = null, canCancel = true }) {
  state = name;
  page.dataset.state = name;
  onButton = action;
  button.hidden = false;
  button.textContent = label;
  button.setAttribute("aria-disabled", String(!action));
  button.setAttribute("aria-busy", String(!action));
  cancelButton?.setAttribute("aria-disabled", String(!canCancel));
  statusLine.textContent = message;
  problemBox.hidden = !problem;
  problemBox.replaceChildren();
  if (problem) {
    const title = document.createElement("strong");
    title.textContent = problem.title;
    const text = document.createElement("p");
    text.textContent = problem.message;
    problemBox.append(title, text);
    if (problem.details) {
      const details = document.createElement("p");
      details.className = "fine";
      details.textContent = problem.details;
      problemBox.append(details);
    }
    problemBox.focus();
  }
}

function showReady(message = "") {
  show("ready", { message, action: connectByClick });
}

// The tab's storage may be switched off; then a bank that does not use a pop-up cannot come back to us.
function remember(key, value) {
  try {
    if (value) {
      sessionStorage.setItem(key, value);
    } else {
      sessionStorage.removeItem(key);
    }
  } catch {
    // Nothing to do: the page works without it.
  }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

// A failed call to the broker. `next` in the response says what helps; `again` repeats the call.
function showFailedCall(name, title, failure, again) {
  const ways = {
    retry: { label: "Try again", action: again },
    restart: { action: connectByClick },
    reload: { label: "Reload this page", action: () => location.reload() },
  };
  const details = failure.requestId ? `Request id: ${failure.requestId}` : "";
  let message = failure.message;
  if (failure.next === "reload") {
    name = "expired";
    message += ` Reload this page; if that does not help, go back to ${client} and start again.`;
  }
  show(name, { problem: { title, message, details }, ...ways[failure.next] });
  button.hidden = failure.next === "none";
}

// The end: the browser goes elsewhere. Some applications are not a web page but an app, which a browser may
// open only on a click: the link is for them.
function leave(url, message) {
  linked = null;
  show("done", { message, canCancel: false });
  button.hidden = true;
  if (cancelButton) {
    cancelButton.hidden = true;
  }
  continueLink.href = url;
  continueLink.hidden = false;
  location.replace(url);
}

// ---- Calls to the broker ----------------------------------------------------------------------------------

const NOT_UNDERSTOOD = "The server gave an answer that this page does not understand.";

class FailedCall extends Error {
  constructor(message, next, requestId = "") {
    super(message);
    this.next = next;
    this.requestId = requestId;
  }
}

async function call(path, body) {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), CALL_TIMEOUT);
  let response;
  let answer;
  try {
    response = await fetch(root + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Broker-Handle": handle },
      body: JSON.stringify(body),
      credentials: "same-origin",
      signal: aborter.signal,
    });
    answer = await response.json().catch((error) => {
      if (aborter.signal.aborted) throw error;
      return null; // not JSON: something between us and the broker has answered
    });
  } catch {
    throw new FailedCall("This page could not reach its server. Check your internet connection and try again.", "retry");
  } finally {
    clearTimeout(timer);
  }
  if (response.ok && answer) {
    return answer;
  }
  throw new FailedCall(
    answer?.message ?? NOT_UNDERSTOOD,
    ["retry", "restart", "reload", "none"].includes(answer?.next) ? answer.next : "retry",
    answer?.request_id ?? response.headers.get("x-request-id") ?? "",
  );
}

// Where an answer sends the browser: `redirect_to` as it stands, `next` within this site.
function destination({ redirect_to, next }) {
  if (!redirect_to && !next) {
    throw new FailedCall(NOT_UNDERSTOOD, "retry");
  }
  return redirect_to ?? root + next;
}

function readHandle() {
  if (page.dataset.handle) {
    remember(HANDLE_KEY, page.dataset.handle);
  }
  return page.dataset.handle || recall(HANDLE_KEY);
}

// ---- Loading Link -----------------------------------------------------------------------------------------

function loadLink() {
  show("loading", { message: "Loading Plaid…" });
  // The person may have cancelled meanwhile: then a late script changes nothing.
  const waits = () => state === "loading" || state === "link-failed";
  const script = document.createElement("script");
  const timer = setTimeout(() => {
    // The script is not asked for a second time: should both arrive, Link would be there twice, which Plaid
    // does not support. Should this one arrive late, the page becomes ready after all.
    if (waits()) showLinkFailed({ label: "Reload this page", action: () => location.reload() });
  }, LOAD_TIMEOUT);
  script.src = environment === "simulator" ? root + page.dataset.script : PLAID_SCRIPT;
  script.nonce = nonce;
  script.onload = () => {
    clearTimeout(timer);
    if (!waits()) return;
    if (window.Plaid?.create && page.dataset.resume) {
      resume();
    } else if (window.Plaid?.create) {
      showReady();
    } else {
      showLinkFailed({ label: "Reload this page", action: () => location.reload() });
    }
  };
  script.onerror = () => {
    clearTimeout(timer);
    script.remove();
    if (waits()) showLinkFailed({ label: "Try again", action: loadLink });
  };
  document.head.append(script);
}

function showLinkFailed(way) {
  const message =
    environment === "simulator"
      ? "The simulator’s stand-in for Plaid could not be loaded. Is the broker still running?"
      : "Your internet connection may be interrupted, or an ad blocker or privacy extension may be blocking " +
        "cdn.plaid.com. Allow it for this page and try again.";
  show("link-failed", { problem: { title: "Plaid did not load", message }, ...way });
}

// ---- Running Link -----------------------------------------------------------------------------------------

function connectByClick() {
  renewed = false;
  return connect();
}

// Link tokens live for a short time only, so each is made when it is needed.
async function connect(message = "Opening Plaid…") {
  linked = null;
  show("starting", { message, label: "Connecting…", canCancel: false });
  try {
    const { link_token } = await call("api/create_link_token", { request });
    remember(LINK_TOKEN_KEY, link_token);
    openLink(link_token);
  } catch (failure) {
    showFailedCall("start-failed", "Plaid could not be opened", asFailedCall(failure), connectByClick);
  }
}

// The bank has sent the browser back: Link goes on with the same link token and the address it came back to.
function resume() {
  const token = recall(LINK_TOKEN_KEY);
  // Used up, whatever comes of it: a reload must not bring the same answer of the bank again.
  remember(LINK_TOKEN_KEY, null);
  if (token && handle) {
    openLink(token, location.href);
    return;
  }
  show("expired", {
    problem: {
      title: "This page cannot go on",
      message: "Your bank sent you back to another tab or browser, or this page was opened twice. " +
        "Go back to the application that you came from and start again.",
    },
  });
  button.hidden = true;
}

function openLink(token, receivedRedirectUri) {
  closeLink();
  const mine = {};
  session = mine;
  // A handler that was replaced may still speak; only the current one is listened to.
  const ifCurrent = (callback) => (...values) => session === mine && callback(...values);
  show("open", { message: "Continue in Plaid’s window.", label: "Connecting…" });
  // Link may be blocked although its script was not. If it is there after all, nothing is used of it: the
  // page underneath just offers another try, and leaves the focus where it is.
  const timer = setTimeout(
    ifCurrent(() => show("open", { message: "Do you not see Plaid’s window?", label: "Try again", action: connectByClick })),
    LOAD_TIMEOUT,
  );
  const loaded = () => clearTimeout(timer);
  handler = window.Plaid.create({
    token,
    // On a first start it must be absent, and not just empty.
    ...(receivedRedirectUri ? { receivedRedirectUri } : {}),
    onLoad: loaded,
    onEvent: loaded,
    onSuccess: ifCurrent((publicToken, metadata) => {
      loaded();
      onSuccess(publicToken, metadata);
    }),
    onExit: ifCurrent((error, metadata) => {
      loaded();
      onExit(error, metadata);
    }),
  });
  handler.open();
}

function closeLink() {
  session = null;
  handler?.destroy();
  handler = null;
}

function onSuccess(publicToken, metadata) {
  session = null;
  remember(LINK_TOKEN_KEY, null);
  linked = {
    public_token: publicToken,
    metadata: {
      institution: metadata?.institution ?? null,
      accounts: metadata?.accounts ?? [],
      link_session_id: metadata?.link_session_id ?? null,
    },
  };
  finish();
}

// Repeating it is safe: the broker exchanges a public token once and repeats its answer.
async function finish() {
  const message = "Finishing the connection. Please keep this page open…";
  show("finishing", { message, label: "Connecting…", canCancel: false });
  try {
    const answer = await call("api/set_access_token", linked);
    leave(destination(answer), answer.redirect_to ? `Connected. Taking you back to ${client}…` : "Connected.");
  } catch (failure) {
    showFailedCall("exchange-failed", "The connection is not finished yet", asFailedCall(failure), finish);
  }
}

function onExit(error, metadata) {
  closeLink();
  lastExit = {
    status: metadata?.status ?? null,
    link_session_id: metadata?.link_session_id ?? null,
    request_id: metadata?.request_id ?? null,
    institution: metadata?.institution ?? null,
  };
  const { error_type = null, error_code = null, display_message = null } = error ?? {};
  const reported = error ? { error_type, error_code, display_message } : null;
  // For the broker's records; the person need not know should it fail.
  call("api/link_exit", { error: reported, metadata: lastExit, cancel: false }).catch(() => {});

  if (!error) {
    show("left", {
      message: "You left Plaid before an account was connected, so nothing was shared. You can try again.",
      action: connectByClick,
    });
    button.focus();
  } else if (error_code === "INVALID_LINK_TOKEN" && !renewed) {
    renewed = true;
    connect("That took a while, so Plaid is opened afresh…");
  } else {
    showLinkError(error_code, display_message);
  }
}

function showLinkError(code, displayMessage) {
  const expired = "Plaid’s session has expired. Please start again.";
  const unknown = "Plaid could not connect this account. Try again, or choose another bank.";
  const requestId = lastExit.request_id ? ` · Plaid request id: ${lastExit.request_id}` : "";
  show("link-error", {
    problem: {
      title: "Plaid reported a problem",
      message: displayMessage || (code === "INVALID_LINK_TOKEN" ? expired : unknown),
      details: `Error code: ${code ?? "none"}${requestId}`,
    },
    action: connectByClick,
  });
}

// The person cancels for good: the broker returns where to go, with the client's error=access_denied.
async function cancel() {
  closeLink();
  show("cancelling", { message: `Taking you back to ${client}…`, canCancel: false });
  try {
    const answer = await call("api/link_exit", { error: null, metadata: lastExit ?? {}, cancel: true, request });
    leave(destination(answer), `Cancelled. Taking you back to ${client}…`);
  } catch (failure) {
    showFailedCall("cancel-failed", "Cancelling did not work", asFailedCall(failure), cancel);
  }
}

// Plaid's script may throw too; whatever it is, the person can try again.
function asFailedCall(failure) {
  return failure instanceof FailedCall
    ? failure
    : new FailedCall("Something unexpected went wrong in this page. Please try again.", "retry");
}

// ---- Start ------------------------------------------------------------------------------------------------

const handle = readHandle();
const request = page.dataset.request || undefined;

// The page that a bank returns to does not know who asked; its tab does.
if (!page.dataset.resume) {
  remember(CLIENT_KEY, cancelButton ? client : null);
} else if (recall(CLIENT_KEY)) {
  client = recall(CLIENT_KEY);
  cancelButton.querySelector(".name").textContent = client;
  cancelButton.hidden = false;
}

button.addEventListener("click", () => {
  const action = onButton;
  onButton = null; // the second half of a double click finds nothing to do
  action?.();
});

cancelButton?.addEventListener("click", () => {
  if (cancelButton.getAttribute("aria-disabled") !== "true") {
    cancel();
  }
});

// The browser brought the page back from its memory ("back" button) after its work was done: begin afresh.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && state === "done") {
    location.reload();
  }
});

loadLink();
