//! Banks with a login page of their own (<https://plaid.com/docs/link/oauth/>): a window beside Link, or, where there
//! are no such windows, a trip there and back.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::login;
use super::turn::{Outcome, Turn, read, wrong_step};
use crate::items::session::{BankVisit, OAuthState};
use crate::items::{Stage, State as Memory};
use crate::simulator::Simulator;
use crate::spec::guesses::{AlteredReturn, BankRefusal, ReentryOpen, ReentrySession};
use crate::spec::{PlaidError, ids, json};

/// Prepares a visit of the bank's page: each has an `oauth_state_id` of its own.
pub(super) fn begin(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let state_id = ids::new_uuid();
    let link_token = turn.link_token()?.token.clone();
    let session = turn.session()?;
    session.visit = Some(BankVisit {
        state_id: state_id.clone(),
        in_popup: true,
        return_to: None,
        granted: None,
        login: None,
        processed: false,
    });
    session.show(Stage::OAuth);
    let link_session_id = session.id.clone();
    turn.memory.oauth_states.insert(
        state_id,
        OAuthState {
            link_token,
            link_session_id,
        },
    );
    Ok(Outcome::Pane)
}

/// `oauth`: the person goes to the bank's page.
pub(super) fn visit(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let popup = turn.call.popup;
    let can_return = turn.link_token()?.return_address().is_some();
    let session = turn.session()?;
    let (Stage::OAuth, Some(visit)) = (&session.stage, &mut session.visit) else {
        return Err(wrong_step());
    };
    if !popup && !can_return {
        return Ok(Outcome::Failed(
            PlaidError::invalid_field(
                "the bank's page needs a pop-up, or a redirect_uri in /link/token/create to come back to",
            )
            .shown("Your bank's page could not be opened: allow pop-ups for this site and try again."),
        ));
    }
    visit.in_popup = popup;
    session.record("OPEN_OAUTH", json!({}));
    Ok(Outcome::Answer(json!({})))
}

/// `oauth_result`: the bank's window has closed.
pub(super) fn visited(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let session = turn.session()?;
    let (Stage::OAuth, Some(visit)) = (&session.stage, &mut session.visit) else {
        return Err(wrong_step());
    };
    match visit.granted {
        None => {
            session.record("CLOSE_OAUTH", json!({}));
            begin(turn)
        }
        Some(granted) => {
            visit.processed = true;
            session.record("CLOSE_OAUTH", json!({}));
            decided(turn, granted)
        }
    }
}

fn decided(turn: &mut Turn<'_>, granted: bool) -> Result<Outcome, PlaidError> {
    if granted {
        return login::let_in(turn);
    }
    let error_type = match turn.guesses().bank_refusal {
        BankRefusal::ItemError => "ITEM_ERROR",
        BankRefusal::OAuthError => "OAUTH_ERROR",
    };
    turn.session()?.record("FAIL_OAUTH", json!({}));
    let message = "access to this product was not granted for the account";
    Ok(Outcome::Failed(
        PlaidError::new(error_type, "ACCESS_NOT_GRANTED", message)
            .shown("You did not give your bank's permission, so nothing was connected."),
    ))
}

/// `start` with the address that the bank sent the browser to: the session of before goes on.
pub(super) fn come_back(turn: &mut Turn<'_>, received: &str) -> Result<Outcome, PlaidError> {
    let token = turn.link_token()?.token.clone();
    let state_id = state_id_in(received).ok_or_else(|| {
        PlaidError::invalid_field("oauth uri does not contain a valid oauth_state_id query parameter")
    })?;
    let state = turn
        .memory
        .oauth_states
        .get(&state_id)
        .ok_or_else(PlaidError::oauth_state_not_found)?;
    if state.link_token != token {
        return Err(PlaidError::incorrect_link_token());
    }
    turn.call.link_session_id.clone_from(&state.link_session_id);
    let guesses = turn.guesses();
    let session = turn.session()?;
    let visit = session
        .visit
        .as_mut()
        .filter(|visit| visit.state_id == state_id && !visit.processed);
    let granted = visit
        .ok_or_else(PlaidError::oauth_state_processed)
        .and_then(|visit| match visit.granted {
            Some(_) if guesses.altered_return == AlteredReturn::Refused && !visit.is_return(received) => {
                Err(altered())
            }
            Some(granted) => {
                visit.processed = true;
                Ok(granted)
            }
            None => Err(PlaidError::oauth_state_not_found()),
        })?;
    if guesses.reentry_session == ReentrySession::NewId {
        turn.call.link_session_id = session.begin_anew();
    }
    let session = turn.session()?;
    if guesses.reentry_open == ReentryOpen::Told {
        session.record("OPEN", json!({}));
    }
    decided(turn, granted)
}

/// The `oauth_state_id` in an address: a UUID.
fn state_id_in(uri: &str) -> Option<String> {
    let uri = Url::parse(uri).ok()?;
    let (_, id) = uri.query_pairs().find(|(name, _)| name == "oauth_state_id")?;
    Uuid::try_parse(&id).ok().map(|id| id.to_string())
}

fn altered() -> PlaidError {
    PlaidError::invalid_field(
        "receivedRedirectUri is not the address that the bank sent the browser to: it has to be the page's whole \
         current address, with nothing added and nothing taken away",
    )
}

/// What the bank's page sends.
#[derive(Deserialize)]
pub(super) struct AtBank {
    oauth_state_id: String,
    #[serde(default)]
    granted: bool,
    #[serde(default)]
    username: String,
}

/// `POST /bank/{step}`: `look` returns what the bank's page shows, `decide` takes the person's decision.
pub(super) async fn answer(
    State(simulator): State<Simulator>,
    Path(step): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = ids::new_request_id();
    let mut memory = simulator.state();
    let answer = read(&headers, &body).and_then(|call: AtBank| match step.as_str() {
        "look" => look(&simulator, &mut memory, &call),
        "decide" => decide(&simulator, &mut memory, &call),
        _ => Err(PlaidError::not_found()),
    });
    match answer {
        Ok(answer) => json::response(StatusCode::OK, &answer),
        Err(error) => json::response(error.status, &error.body(Some(&request_id))),
    }
}

fn look(simulator: &Simulator, memory: &mut Memory, call: &AtBank) -> Result<Value, PlaidError> {
    let mut turn = turn_of(simulator, memory, call)?;
    let client_name = turn.link_token()?.request.client_name.clone();
    let session = turn.session()?;
    Ok(json!({"institution": session.institution_json(), "client_name": client_name}))
}

fn decide(simulator: &Simulator, memory: &mut Memory, call: &AtBank) -> Result<Value, PlaidError> {
    let mut turn = turn_of(simulator, memory, call)?;
    let return_address = turn.link_token()?.return_address();
    let session = turn.session()?;
    let visit = session
        .visit
        .as_mut()
        .ok_or_else(PlaidError::oauth_state_processed)?;
    visit.granted = Some(call.granted);
    visit.login = Some(call.username.trim())
        .filter(|login| !login.is_empty())
        .map(Into::into);
    if visit.in_popup {
        return Ok(json!({"close": true}));
    }
    let address = return_address.and_then(|address| Url::parse(&address).ok());
    let mut address = address.ok_or_else(wrong_step)?;
    address
        .query_pairs_mut()
        .append_pair("oauth_state_id", &call.oauth_state_id);
    let address = String::from(address);
    if let Some(visit) = &mut turn.session()?.visit {
        visit.return_to = Some(address.clone());
    }
    Ok(json!({"return_to": address}))
}

/// The session whose person stands at the bank.
fn turn_of<'a>(
    simulator: &'a Simulator,
    memory: &'a mut Memory,
    call: &AtBank,
) -> Result<Turn<'a>, PlaidError> {
    let state = memory
        .oauth_states
        .get(&call.oauth_state_id)
        .ok_or_else(PlaidError::oauth_state_not_found)?;
    let (token, link_session_id) = (state.link_token.clone(), state.link_session_id.clone());
    let hosted = memory
        .link_tokens
        .get(&token)
        .and_then(|link_token| link_token.hosted.as_ref());
    let step = super::turn::Step {
        hosted: hosted.map(|hosted| hosted.id.clone()).unwrap_or_default(),
        link_token: token,
        link_session_id,
        ..super::turn::Step::default()
    };
    let mut turn = Turn::new(simulator, memory, step);
    let session = turn.session()?;
    let open = session
        .visit
        .as_ref()
        .is_some_and(|visit| visit.state_id == call.oauth_state_id && visit.granted.is_none());
    if open {
        Ok(turn)
    } else {
        Err(PlaidError::oauth_state_processed())
    }
}
