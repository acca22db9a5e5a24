//! The calls of Link's page: each names its link token, and moves that token's session one step on.
//!
//! The simulator decides what comes next and which events that makes; the page shows it. So `onEvent`,
//! `/link/token/get` and webhooks agree.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::turn::{Outcome, Turn, read, wrong_step};
use super::{bank, deposit_code, finish, login, numbers, pane};
use crate::items::{Session, Stage};
use crate::simulator::Simulator;
use crate::spec::institutions::{self, Trait};
use crate::spec::{Institution, PlaidError, ids, json};

/// `POST /session/{step}`
pub(super) async fn answer(
    State(simulator): State<Simulator>,
    Path(step): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = ids::new_request_id();
    let call = match read(&headers, &body) {
        Ok(call) => call,
        Err(error) => return json::response(error.status, &error.body(Some(&request_id))),
    };
    let mut memory = simulator.state();
    let mut turn = Turn::new(&simulator, &mut memory, call);
    request_id.clone_into(&mut turn.request_id);
    let (status, mut body, events) = match take(&mut turn, &step) {
        Ok(answer) => (StatusCode::OK, answer, turn.unsent()),
        Err(error) => {
            let events = if step == "start" {
                Session::refused(&error, &request_id, turn.now)
            } else {
                turn.unsent()
            };
            (error.status, error.body(Some(&request_id)), events)
        }
    };
    json::set(&mut body, "request_id", request_id);
    json::set(&mut body, "events", events);
    json::response(status, &body)
}

pub(super) fn take(turn: &mut Turn<'_>, step: &str) -> Result<Value, PlaidError> {
    let outcome = match step {
        "start" => start(turn),
        "continue" => go_on(turn),
        "institutions" => search(turn),
        "select" => select(turn),
        "back" => back(turn),
        "again" => again(turn),
        "login" => login::login(turn),
        "mfa" => login::mfa(turn),
        "oauth" => bank::visit(turn),
        "oauth_result" => bank::visited(turn),
        "accounts" => login::choose(turn),
        "auth_type" => numbers::select_auth_type(turn),
        "manual" => numbers::enter(turn),
        "numbers" => numbers::submit(turn),
        "deposit_code" => deposit_code::submit(turn),
        "finish" => finish::finish(turn),
        "exit" => finish::exit(turn),
        _ => Err(PlaidError::not_found()),
    }?;
    match outcome {
        Outcome::Answer(answer) => Ok(answer),
        Outcome::Pane => pane::of(turn, None),
        Outcome::Wrong(error) => {
            turn.session()?.meet(&error);
            pane::of(turn, Some(&error))
        }
        Outcome::Failed(error) => {
            let manual = numbers::are_offered(turn)?;
            let session = turn.session()?;
            session.meet(&error);
            session.record("TRANSITION_VIEW", json!({"view_name": "ERROR"}));
            Ok(pane::of_error(session, &error, manual))
        }
    }
}

/// Link opens, or comes back from a bank.
fn start(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    if let Some(uri) = turn.call.received_redirect_uri.clone() {
        return bank::come_back(turn, &uri);
    }
    let now = turn.now;
    let link_token = turn.link_token()?;
    if link_token.hosted.is_some() && link_token.has_ended_session() {
        return Err(PlaidError::invalid_link_token());
    }
    let update_item = link_token.update_item.clone();
    let id = link_token.start_session(now);
    turn.call.link_session_id = id;
    let item = update_item.and_then(|id| turn.memory.item_by_id(&id));
    let institution = item.and_then(|item| item.draft.institution.known());
    turn.session()?.institution = institution;
    if let Some(outcome) = deposit_code::begin(turn)? {
        return Ok(outcome);
    }
    let session = turn.session()?;
    session.record("OPEN", json!({"view_name": "CONSENT"}));
    session.show(Stage::Consent);
    Ok(Outcome::Pane)
}

/// Consent is given.
fn go_on(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let session = turn.session()?;
    if !matches!(session.stage, Stage::Consent) {
        return Err(wrong_step());
    }
    if let Some(institution) = session.institution {
        return at_the_bank(turn, institution);
    }
    let guesses = turn.guesses();
    if turn.link_token()?.request.selects_auth_type(&guesses) {
        return turn.show(Stage::AuthType);
    }
    turn.show(Stage::Institutions { nothing_found: false })
}

fn search(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let query = turn.call.query.trim().to_owned();
    if !matches!(turn.session()?.stage, Stage::Institutions { .. }) {
        return Err(wrong_step());
    }
    let wanted = query.to_lowercase();
    let request = &turn.link_token()?.request;
    let found: Vec<_> = institutions::ALL
        .iter()
        .filter(|institution| request.offers(institution))
        .filter(|institution| institution.name.to_lowercase().contains(&wanted))
        .map(|institution| json!({"institution_id": institution.id, "name": institution.name}))
        .collect();
    let session = turn.session()?;
    session.stage = Stage::Institutions {
        nothing_found: found.is_empty() && !query.is_empty(),
    };
    if !query.is_empty() {
        session.record("SEARCH_INSTITUTION", json!({"institution_search_query": query}));
    }
    Ok(Outcome::Answer(json!({"institutions": found})))
}

/// An institution is chosen.
fn select(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    if !matches!(turn.session()?.stage, Stage::Institutions { .. }) {
        return Err(wrong_step());
    }
    let id = turn.call.institution_id.clone();
    let request = &turn.link_token()?.request;
    let institution = institutions::by_id(&id)
        .filter(|institution| request.offers(institution))
        .ok_or_else(PlaidError::invalid_institution)?;
    let session = turn.session()?;
    session.institution = Some(institution);
    session.method = None;
    session.error = None;
    session.record("SELECT_INSTITUTION", json!({}));
    at_the_bank(turn, institution)
}

fn at_the_bank(turn: &mut Turn<'_>, institution: &'static Institution) -> Result<Outcome, PlaidError> {
    match institution.special {
        Trait::OAuth => bank::begin(turn),
        Trait::Unsupported => {
            turn.session()?.stage = Stage::Unsupported;
            Ok(Outcome::Failed(PlaidError::institution_unsupported()))
        }
        Trait::Ordinary if numbers::are_enough_at(turn, institution)? => numbers::at_the_bank(turn),
        Trait::Ordinary | Trait::Down => turn.show(Stage::Credentials),
    }
}

/// Another institution, please.
fn back(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let updating = turn.link_token()?.update_item.is_some();
    let session = turn.session()?;
    if updating || matches!(session.stage, Stage::Connected(_) | Stage::Ended) {
        return Err(wrong_step());
    }
    session.institution = None;
    session.method = None;
    session.error = None;
    session.visit = None;
    session.show(Stage::Institutions { nothing_found: false });
    Ok(Outcome::Pane)
}

/// The pane that an error has covered.
fn again(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    if matches!(turn.session()?.stage, Stage::Verification(_)) {
        return deposit_code::again(turn);
    }
    let session = turn.session()?;
    match session.stage {
        Stage::Ended => return Err(wrong_step()),
        Stage::Unsupported => return back(turn),
        Stage::OAuth => return bank::begin(turn),
        // What a bank asks is asked of a new login.
        Stage::Mfa { .. } => session.show(Stage::Credentials),
        _ => {
            let view_name = session.stage.view_name();
            session.record("TRANSITION_VIEW", json!({"view_name": view_name}));
        }
    }
    Ok(Outcome::Pane)
}
