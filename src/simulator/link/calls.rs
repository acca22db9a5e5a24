//! The calls of Link's page: each names its link token, and moves that token's session one step on.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::simulator::Simulator;
use crate::simulator::accounts::{self, Account};
use crate::simulator::api::json_response;
use crate::simulator::error::PlaidError;
use crate::simulator::ids::{self, account_id};
use crate::simulator::institutions::{self, Institution, Trait};
use crate::simulator::item::Draft;
use crate::simulator::link_token::{LinkToken, Session, Stage};
use crate::simulator::state::State as Memory;
use crate::simulator::test_users::{self, Login, log_in};

/// What a step brings beside its link token; each reads what it needs.
#[derive(Deserialize)]
struct Step {
    link_token: String,
    #[serde(default)]
    link_session_id: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    institution_id: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    account_ids: Vec<String>,
    /// One of the exit statuses of <https://plaid.com/docs/link/web/#onexit>.
    #[serde(default)]
    status: Option<String>,
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
        "login" => login(&mut memory, &call, now),
        "code" => code(&mut memory, &call, now),
        "accounts" => choose(&mut memory, &call, now),
        "finish" => finish(&mut memory, &call, now),
        "exit" => exit(&mut memory, &call, request_id, now),
        _ => Err(PlaidError::not_found()),
    }
}

fn live<'a>(memory: &'a mut Memory, call: &Step, now: Timestamp) -> Result<&'a mut LinkToken, PlaidError> {
    memory
        .link_tokens
        .get_mut(&call.link_token)
        .filter(|link_token| !link_token.is_expired(now))
        .ok_or_else(PlaidError::invalid_link_token)
}

fn session<'a>(link_token: &'a mut LinkToken, call: &Step) -> Result<&'a mut Session, PlaidError> {
    link_token
        .session(&call.link_session_id)
        .ok_or_else(PlaidError::invalid_link_token)
}

fn wrong_step() -> PlaidError {
    PlaidError::invalid_field("this Link session is at another step")
}

fn start(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
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

fn search(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
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

fn login(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let (client_id, request) = (link_token.client_id.clone(), link_token.request.clone());
    let update = link_token.update_item.is_some();
    let institution = institutions::by_id(&call.institution_id)
        .filter(|institution| update || (!institution.is_oauth() && request.offers(institution)))
        .ok_or_else(PlaidError::invalid_institution)?;
    let session = session(link_token, call)?;
    if !matches!(
        session.stage,
        Stage::Started | Stage::Code(_) | Stage::Accounts(_)
    ) {
        return Err(wrong_step());
    }
    let about = json!({"institution_id": institution.id, "institution_name": institution.name});
    if session
        .institution
        .is_none_or(|before| before.id != institution.id)
    {
        session.record("SELECT_INSTITUTION", &about, now);
    }
    session.institution = Some(institution);
    session.stage = Stage::Started;
    session.record("SUBMIT_CREDENTIALS", &about, now);
    let outcome = match institution.special {
        Trait::Down => Login::Refused(PlaidError {
            display_message: Some("This bank cannot be reached at the moment. Please try again later."),
            ..PlaidError::new(
                "INSTITUTION_ERROR",
                "INSTITUTION_DOWN",
                "this institution is down",
            )
        }),
        Trait::Unsupported => Login::Refused(PlaidError {
            display_message: Some("This bank is not supported."),
            ..PlaidError::new(
                "INSTITUTION_ERROR",
                "INSTITUTION_NO_LONGER_SUPPORTED",
                "this institution is no longer supported",
            )
        }),
        Trait::Ordinary | Trait::OAuth => log_in(&call.username, &call.password),
    };
    let draft = Draft {
        item_id: ids::new_item_id(),
        client_id,
        institution,
        products: request.item_products(institution),
        consented_products: request.additional_consented().to_vec(),
        webhook: request.webhook.clone(),
        accounts: None,
    };
    match outcome {
        Login::Refused(error) => Err(remember(session, error, now)),
        Login::Code => {
            session.error = None;
            session.stage = Stage::Code(draft);
            Ok(json!({"next": "code"}))
        }
        Login::Done => logged_in(memory, call, draft, now),
    }
}

/// Keeps an error that the person sees, for the metadata of an exit.
fn remember(session: &mut Session, error: PlaidError, now: Timestamp) -> PlaidError {
    session.error = Some(json!({
        "error_type": error.error_type,
        "error_code": error.error_code,
        "error_message": error.message,
        "display_message": error.display_message,
    }));
    session.record(
        "ERROR",
        &json!({
            "error_type": error.error_type,
            "error_code": error.error_code,
            "error_message": error.message,
        }),
        now,
    );
    error
}

fn code(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let session = session(live(memory, call, now)?, call)?;
    let Stage::Code(draft) = &session.stage else {
        return Err(wrong_step());
    };
    let draft = draft.clone();
    session.record("SUBMIT_MFA", &json!({"mfa_type": "code"}), now);
    if call.code.trim() != test_users::MFA_CODE {
        return Err(remember(session, test_users::invalid_mfa(), now));
    }
    logged_in(memory, call, draft, now)
}

/// The accounts to choose from; in update mode the Item keeps those that it has.
fn logged_in(memory: &mut Memory, call: &Step, draft: Draft, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    if link_token.update_item.is_some() {
        let session = session(link_token, call)?;
        session.error = None;
        session.stage = Stage::Connected(draft);
        return Ok(json!({"next": "connected"}));
    }
    let offered = offered(link_token);
    let session = session(link_token, call)?;
    if offered.is_empty() {
        let error = PlaidError {
            display_message: Some("This login has no account of a kind that was asked for."),
            ..PlaidError::new("ITEM_ERROR", "NO_ACCOUNTS", "no compatible accounts were found")
        };
        return Err(remember(session, error, now));
    }
    let accounts: Vec<_> = offered
        .iter()
        .map(|account| account.link_json(&draft.item_id))
        .collect();
    session.error = None;
    session.stage = Stage::Accounts(draft);
    Ok(json!({"next": "accounts", "accounts": accounts}))
}

fn offered(link_token: &LinkToken) -> Vec<&'static Account> {
    let request = &link_token.request;
    let auth = request.products().iter().any(|product| product == "auth");
    accounts::offered(auth, request.account_filters.as_ref()).collect()
}

fn choose(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let offered = offered(link_token);
    let session = session(link_token, call)?;
    let (Stage::Accounts(draft) | Stage::Connected(draft)) = &session.stage else {
        return Err(wrong_step());
    };
    let mut draft = draft.clone();
    let is_chosen = |account: &&Account| {
        call.account_ids
            .contains(&account_id(&draft.item_id, account.mask))
    };
    let chosen: Vec<_> = offered
        .into_iter()
        .filter(is_chosen)
        .map(|account| account.mask)
        .collect();
    if chosen.is_empty() || chosen.len() != call.account_ids.len() {
        return Err(PlaidError::invalid_field(
            "account_ids must name at least one of the offered accounts",
        ));
    }
    draft.accounts = Some(chosen);
    session.stage = Stage::Connected(draft);
    Ok(json!({"next": "connected"}))
}

fn finish(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let update_item = link_token.update_item.clone();
    let client_id = link_token.client_id.clone();
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
        let accounts: Value = accounts::ALL
            .iter()
            .filter(|account| chosen.contains(&account.mask))
            .map(|account| account.link_json(&draft.item_id))
            .collect();
        (memory.new_public_token(draft, now), accounts)
    };
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
