//! The simulator's own calls, under `/_simulator/` and so never on a path of Plaid's.
//!
//! Those that change anything take JSON only, or a method that is not POST: a web page that a person happens to
//! visit cannot send that to another origin without a permission that is never given.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Guesses, PublicTokenReuse, RecordedRequest, Simulator, WebhookView};

/// A snapshot may be this long: that of 100,000 Items is about half of it.
const LONGEST_SNAPSHOT: usize = 256 * 1024 * 1024;

/// All controls.
pub(super) fn routes(simulator: Simulator) -> Router<Simulator> {
    Router::new()
        .route("/requests", get(requests))
        .route("/faults", post(enqueue))
        .route("/clock", get(clock).post(advance))
        .route("/state", get(state).delete(reset))
        .route("/snapshot", get(snapshot).put(restore))
        .layer(DefaultBodyLimit::max(LONGEST_SNAPSHOT))
        .route("/switches", get(switches).post(set_switches))
        .route("/guesses", get(guesses).post(set_guesses))
        .route("/items", post(change_item))
        .route("/webhooks", get(webhooks))
        .route("/webhook_key", post(change_key))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(simulator)
}

fn refused(status: StatusCode, why: impl std::fmt::Display) -> Response {
    (status, Json(json!({"error": why.to_string()}))).into_response()
}

async fn requests(State(simulator): State<Simulator>) -> Json<Vec<RecordedRequest>> {
    Json(simulator.requests())
}

/// A fault and the path that it waits at: `{"path": "/item/get", "fault": {"kind": "reset"}}`.
#[derive(Deserialize)]
struct Enqueue {
    path: String,
    fault: Fault,
}

async fn enqueue(State(simulator): State<Simulator>, Json(order): Json<Enqueue>) -> Response {
    if simulator.enqueued(&order.path, order.fault) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused(
            StatusCode::CONFLICT,
            "1,000 faults wait already: call their paths, or DELETE /_simulator/state",
        )
    }
}

async fn clock(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({"now": simulator.time()}))
}

/// `{"advance_seconds": 2592000}`
#[derive(Deserialize)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(simulator): State<Simulator>, Json(order): Json<Advance>) -> Json<Value> {
    simulator.advance(Duration::from_secs(order.advance_seconds));
    clock(State(simulator)).await
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

async fn restore(State(simulator): State<Simulator>, Json(snapshot): Json<Value>) -> Response {
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

async fn set_switches(State(simulator): State<Simulator>, Json(order): Json<SetSwitches>) -> Json<Value> {
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
    Json(order): Json<BTreeMap<String, String>>,
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

async fn change_item(State(simulator): State<Simulator>, Json(order): Json<ChangeItem>) -> Response {
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
struct ChangeKey {
    action: KeyAction,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyAction {
    Rotate,
    Expire,
}

async fn change_key(State(simulator): State<Simulator>, Json(order): Json<ChangeKey>) -> StatusCode {
    match order.action {
        KeyAction::Rotate => simulator.rotate_webhook_key(),
        KeyAction::Expire => simulator.expire_webhook_key(),
    }
    StatusCode::NO_CONTENT
}
