//! The calls of Link's page: each names its link token, and moves that token's session one step on.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::login;
use crate::clock::Timestamp;
use crate::simulator::Simulator;
use crate::simulator::api::json_response;
use crate::simulator::error::PlaidError;
use crate::simulator::ids;
use crate::simulator::institutions::{self, Institution};
use crate::simulator::link_token::{LinkToken, Session, Stage};
use crate::simulator::state::State as Memory;

/// What a step brings beside its link token; each reads what it needs.
#[derive(Default, Deserialize)]
pub(super) struct Step {
    pub(super) link_token: String,
    #[serde(default)]
    pub(super) link_session_id: String,
    #[serde(default)]
    pub(super) query: String,
    #[serde(default)]
    pub(super) institution_id: String,
    #[serde(default)]
    pub(super) username: String,
    #[serde(default)]
    pub(super) password: String,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) account_ids: Vec<String>,
    /// One of the exit statuses of <https://plaid.com/docs/link/web/#onexit>.
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// `POST /session/{step}`
pub(super) async fn answer(
    State(simulator): State<Simulator>,
    Path(step): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = ids::new_request_id();
    match take(&simulator, &step, &headers, &body, &request_id) {
        Ok(mut answer) => {
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("request_id".to_owned(), request_id.into());
            }
            json_response(StatusCode::OK, &answer)
        }
        Err(error) => json_response(error.status, &error.body(&request_id)),
    }
}

fn take(
    simulator: &Simulator,
    step: &str,
    headers: &HeaderMap,
    body: &[u8],
    request_id: &str,
) -> Result<Value, PlaidError> {
    // A form of another site cannot send this content type, so it cannot act for the person.
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value != "application/json")
    {
        return Err(PlaidError::invalid_body());
    }
    let call: Step = serde_json::from_slice(body).map_err(|_| PlaidError::invalid_body())?;
    let now = simulator.now();
    let mut memory = simulator.state();
    match step {
        "start" => start(&mut memory, &call, now),
        "institutions" => search(&mut memory, &call, now),
        "login" => login::login(&mut memory, &call, now),
        "code" => login::code(&mut memory, &call, now),
        "accounts" => login::choose(&mut memory, &call, now),
        "finish" => finish(&mut memory, &call, now),
        "exit" => exit(&mut memory, &call, request_id, now),
        _ => Err(PlaidError::not_found()),
    }
}

pub(super) fn live<'a>(
    memory: &'a mut Memory,
    call: &Step,
    now: Timestamp,
) -> Result<&'a mut LinkToken, PlaidError> {
    memory
        .link_tokens
        .get_mut(&call.link_token)
        .filter(|link_token| !link_token.is_expired(now))
        .ok_or_else(PlaidError::invalid_link_token)
}

pub(super) fn session<'a>(link_token: &'a mut LinkToken, call: &Step) -> Result<&'a mut Session, PlaidError> {
    link_token
        .session(&call.link_session_id)
        .ok_or_else(PlaidError::invalid_link_token)
}

pub(super) fn wrong_step() -> PlaidError {
    PlaidError::invalid_field("this Link session is at another step")
}

pub(super) fn start(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let update_item = live(memory, call, now)?.update_item.clone();
    let update = update_item.and_then(|id| memory.item_by_id(&id).map(|item| item.institution()));
    let link_token = live(memory, call, now)?;
    let link_session_id = link_token.start_session(now);
    let request = &link_token.request;
    // Longer names are not shown (https://plaid.com/docs/api/link/#link-token-create-request-client-name).
    let client_name = if request.client_name.chars().count() > 30 {
        "This Application"
    } else {
        &request.client_name
    };
    Ok(json!({
        "link_session_id": link_session_id,
        "client_name": client_name,
        "products": request.products(),
        "update_institution": update.map(institution_json),
    }))
}

fn institution_json(institution: &Institution) -> Value {
    json!({"institution_id": institution.id, "name": institution.name})
}

pub(super) fn search(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let query = call.query.trim().to_lowercase();
    let found: Vec<_> = institutions::ALL
        .iter()
        .filter(|institution| !institution.is_oauth() && link_token.request.offers(institution))
        .filter(|institution| institution.name.to_lowercase().contains(&query))
        .map(institution_json)
        .collect();
    Ok(json!({"institutions": found}))
}

pub(super) fn finish(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let update_item = link_token.update_item.clone();
    let client_id = link_token.client_id.clone();
    let payment_initiation = link_token.request.payment_initiation.clone();
    let current = session(link_token, call)?;
    let Stage::Connected(draft) = &current.stage else {
        return Err(wrong_step());
    };
    let draft = draft.clone();
    let (public_token, accounts) = if let Some(item_id) = update_item {
        let item = memory
            .item_by_id(&item_id)
            .ok_or_else(PlaidError::item_not_found)?;
        item.repair(now)?;
        let accounts: Value = item
            .accounts()
            .map(|account| account.link_json(&item_id))
            .collect();
        (memory.new_update_token(&client_id, &item_id, now), accounts)
    } else {
        let chosen = draft.accounts.as_deref().unwrap_or_default();
        let accounts: Value = draft
            .source
            .person
            .accounts()
            .iter()
            .filter(|account| chosen.contains(&account.key))
            .map(|account| account.link_json(&draft.item_id))
            .collect();
        (memory.new_public_token(draft, now), accounts)
    };
    if let Some(agreed) = payment_initiation {
        memory
            .payment_book
            .agreed(&client_id, &agreed, &ids::time_text(now));
    }
    let session = session(live(memory, call, now)?, call)?;
    session.succeed(&public_token, &accounts, now);
    Ok(json!({
        "public_token": public_token,
        "metadata": {
            "institution": session.institution_json(),
            "accounts": accounts,
            "link_session_id": session.id,
            "transfer_status": null,
        },
    }))
}

/// Leaving works on an expired token too: it tells why.
fn exit(memory: &mut Memory, call: &Step, request_id: &str, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = memory
        .link_tokens
        .get_mut(&call.link_token)
        .ok_or_else(PlaidError::invalid_link_token)?;
    let session = session(link_token, call)?;
    if matches!(session.stage, Stage::Ended) {
        return Err(wrong_step());
    }
    let status = call
        .status
        .as_deref()
        .filter(|status| EXIT_STATUSES.contains(status));
    let metadata = json!({
        "institution": session.institution_json(),
        "status": status,
        "link_session_id": session.id,
        "request_id": request_id,
    });
    let error = session.error.clone().unwrap_or_default();
    session.leave(&error, &metadata, now);
    Ok(json!({"error": error, "metadata": metadata}))
}

/// <https://plaid.com/docs/link/web/#onexit>
const EXIT_STATUSES: &[&str] = &[
    "requires_questions",
    "requires_selections",
    "requires_code",
    "choose_device",
    "requires_credentials",
    "requires_account_selection",
    "requires_oauth",
    "institution_not_found",
    "institution_not_supported",
];
