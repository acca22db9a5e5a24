//! The simulator's own calls, under `/_simulator/` and so never on a path of Plaid's.
//!
//! Those that change anything take JSON only, or a method that is not POST: a web page that a person happens to
//! visit cannot send that to another origin without a permission that is never given.

mod order;
pub(crate) mod snapshot;
pub(crate) mod test_api;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use self::order::{Asked, Order, refused};
use crate::calls::faults::{FaultRefused, WaitingFault};
use crate::calls::recorder::RecordedRequest;
use crate::simulator::Simulator;
use crate::spec::Guesses;
use crate::spec::switches::PublicTokenReuse;
use crate::webhooks::WebhookView;

/// A snapshot may be this long: that of 100,000 Items is about half of it.
const LONGEST_SNAPSHOT: usize = 256 * 1024 * 1024;
/// A fault's body may be a megabyte, each byte of it a number of up to four characters with its comma.
const LONGEST_FAULT: usize = 5 * 1024 * 1024;

/// What the controls accept, for messages about a wrong call.
const FORMS: &[(&str, &str)] = &[
    ("/requests", "GET"),
    (
        "/faults",
        r#"GET; DELETE, or DELETE ?path=/item/get; POST {"path": "/item/get", "fault": {"kind": "reset"}}, other kinds: error, delay, hang, body, drop_answer, truncate"#,
    ),
    ("/clock", r#"GET; POST {"advance_seconds": 60}"#),
    ("/state", "GET, DELETE"),
    ("/snapshot", "GET; PUT what GET gave"),
    (
        "/switches",
        r#"GET; POST {"public_token_reuse": "single_use", "rate_limits": true, "wrong_logins": 5, "link_events": false}, or some of them"#,
    ),
    (
        "/guesses",
        r#"GET; POST {"removed_item": "invalid_access_token"}"#,
    ),
    (
        "/items",
        r#"POST {"item_id": "...", "action": "revoke"}, other actions: repair, end_consent"#,
    ),
    ("/webhooks", "GET"),
    (
        "/webhook_key",
        r#"POST {"action": "rotate"}, other action: expire"#,
    ),
];

/// All controls.
pub(crate) fn routes(simulator: Simulator) -> Router<Simulator> {
    Router::new()
        .route("/snapshot", get(snapshot).put(restore))
        .layer(DefaultBodyLimit::max(LONGEST_SNAPSHOT))
        .merge(
            Router::new()
                .route("/faults", get(faults).post(enqueue).delete(take_back))
                .layer(DefaultBodyLimit::max(LONGEST_FAULT)),
        )
        .route("/requests", get(requests))
        .route("/clock", get(clock).post(advance))
        .route("/state", get(state).delete(reset))
        .route("/switches", get(switches).post(set_switches))
        .route("/guesses", get(guesses).post(set_guesses))
        .route("/items", post(change_item))
        .route("/webhooks", get(webhooks))
        .route("/webhook_key", post(change_key))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            let why = format!("{method} is not taken here. {}", form_of(uri.path()));
            refused(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .fallback(async || {
            let paths: Vec<_> = FORMS
                .iter()
                .map(|(path, _)| format!("/_simulator{path}"))
                .collect();
            let why = format!("there is no such control. The controls are {}", paths.join(", "));
            refused(StatusCode::NOT_FOUND, why)
        })
        .with_state(simulator)
}

/// What the control at this path takes.
fn form_of(path: &str) -> String {
    let known = FORMS.iter().find(|(control, _)| path.ends_with(control));
    known.map_or_else(String::new, |(control, form)| {
        format!("/_simulator{control} takes {form}")
    })
}

async fn requests(State(simulator): State<Simulator>) -> Json<Vec<RecordedRequest>> {
    Json(simulator.requests())
}

async fn faults(State(simulator): State<Simulator>) -> Json<Vec<WaitingFault>> {
    Json(simulator.faults())
}

/// A fault and the path that it waits at: `{"path": "/item/get", "fault": {"kind": "reset"}}`.
async fn enqueue(State(simulator): State<Simulator>, Order(order): Order<WaitingFault>) -> Response {
    match simulator.try_enqueue(&order.path, order.fault) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(full @ FaultRefused::Full) => refused(StatusCode::CONFLICT, full),
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}

/// Which faults are removed; all without a path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakeBack {
    path: Option<String>,
}

async fn take_back(State(simulator): State<Simulator>, Asked(asked): Asked<TakeBack>) -> Json<Value> {
    Json(json!({"taken_back": simulator.take_back_faults(asked.path.as_deref())}))
}

async fn clock(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({"now": simulator.time()}))
}

/// `{"advance_seconds": 2592000}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(simulator): State<Simulator>, Order(order): Order<Advance>) -> Response {
    match simulator.try_advance(Duration::from_secs(order.advance_seconds)) {
        Ok(()) => clock(State(simulator)).await.into_response(),
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}

async fn state(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({"now": simulator.time(), "switches": simulator.switches(), "items": simulator.items()}))
}

async fn reset(State(simulator): State<Simulator>) -> StatusCode {
    simulator.reset();
    StatusCode::NO_CONTENT
}

async fn snapshot(State(simulator): State<Simulator>) -> Response {
    match simulator.snapshot() {
        Ok(snapshot) => Json(snapshot).into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn restore(State(simulator): State<Simulator>, Order(snapshot): Order<Value>) -> Response {
    match simulator.restore(&snapshot) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}

/// Switches that are not named stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetSwitches {
    public_token_reuse: Option<PublicTokenReuse>,
    rate_limits: Option<bool>,
    wrong_logins: Option<NonZeroU32>,
    link_events: Option<bool>,
}

async fn switches(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!(simulator.switches()))
}

async fn set_switches(State(simulator): State<Simulator>, Order(order): Order<SetSwitches>) -> Json<Value> {
    let mut switches = simulator.switches();
    if let Some(reuse) = order.public_token_reuse {
        switches.public_token_reuse = reuse;
    }
    if let Some(limits) = order.rate_limits {
        switches.rate_limits = limits;
    }
    if let Some(number) = order.wrong_logins {
        switches.link.wrong_logins = number.get();
    }
    if let Some(events) = order.link_events {
        switches.link.link_events = events;
    }
    simulator.set_switches(switches);
    Json(json!(switches))
}

/// Every guess with its answers and the one that is chosen.
async fn guesses(State(simulator): State<Simulator>) -> Json<Value> {
    let chosen = json!(simulator.switches().guesses);
    let guesses = Guesses::all().iter().map(|guess| {
        let answers = guess.answers.iter();
        let answers = answers.map(|choice| json!({"name": choice.name, "meaning": choice.meaning}));
        json!({
            "name": guess.name,
            "question": guess.question,
            "answers": answers.collect::<Value>(),
            "chosen": chosen.get(guess.name),
        })
    });
    Json(guesses.collect())
}

/// `{"removed_item": "invalid_access_token"}`; guesses that are not named stay as they are.
async fn set_guesses(
    State(simulator): State<Simulator>,
    Order(order): Order<BTreeMap<String, String>>,
) -> Response {
    let mut switches = simulator.switches();
    for (name, answer) in &order {
        if let Err(error) = switches.guesses.set(name, answer) {
            return refused(StatusCode::UNPROCESSABLE_ENTITY, error);
        }
    }
    simulator.set_switches(switches);
    Json(json!(switches.guesses)).into_response()
}

/// What happens to an Item beyond Plaid's API: `{"item_id": "…", "action": "revoke"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeItem {
    item_id: String,
    action: ItemAction,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ItemAction {
    /// The person ends the connection at my.plaid.com.
    Revoke,
    /// The login works again without Link.
    Repair,
    /// The person's consent ends in a week.
    EndConsent,
}

async fn change_item(State(simulator): State<Simulator>, Order(order): Order<ChangeItem>) -> Response {
    let done = match order.action {
        ItemAction::Revoke => simulator.revoke_item(&order.item_id),
        ItemAction::Repair => simulator.repair_item(&order.item_id),
        ItemAction::EndConsent => simulator.end_consent(&order.item_id),
    };
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(StatusCode::NOT_FOUND, error),
    }
}

async fn webhooks(State(simulator): State<Simulator>) -> Json<Vec<WebhookView>> {
    Json(simulator.webhooks())
}

/// `{"action": "rotate"}` or `{"action": "expire"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeKey {
    action: KeyAction,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyAction {
    Rotate,
    Expire,
}

async fn change_key(State(simulator): State<Simulator>, Order(order): Order<ChangeKey>) -> StatusCode {
    match order.action {
        KeyAction::Rotate => simulator.rotate_webhook_key(),
        KeyAction::Expire => simulator.expire_webhook_key(),
    }
    StatusCode::NO_CONTENT
}
