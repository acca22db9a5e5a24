//! The steps between the choice of an institution and a connected login.

use serde_json::{Value, json};

use super::calls::{Step, live, session, wrong_step};
use crate::clock::Timestamp;
use crate::simulator::accounts::{self, Account};
use crate::simulator::error::PlaidError;
use crate::simulator::ids;
use crate::simulator::institutions::{self, Trait};
use crate::simulator::item::Draft;
use crate::simulator::link_token::{LinkRequest, Session, Stage};
use crate::simulator::state::State as Memory;
use crate::simulator::test_users::{self, Login, log_in};

/// `login`: a username and a password at an institution.
pub(super) fn login(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
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
        source: request.source(&call.username, &call.password),
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

/// `code`: the second factor.
pub(super) fn code(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
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
    let accounts: Vec<_> = offered(&link_token.request, &draft)
        .map(|account| account.link_json(&draft.item_id))
        .collect();
    let session = session(link_token, call)?;
    if accounts.is_empty() {
        let error = PlaidError {
            display_message: Some("This login has no account of a kind that was asked for."),
            ..PlaidError::new("ITEM_ERROR", "NO_ACCOUNTS", "no compatible accounts were found")
        };
        return Err(remember(session, error, now));
    }
    session.error = None;
    session.stage = Stage::Accounts(draft);
    Ok(json!({"next": "accounts", "accounts": accounts}))
}

fn offered<'a>(request: &'a LinkRequest, draft: &'a Draft) -> impl Iterator<Item = &'a Account> {
    let auth = request.products().iter().any(|product| product == "auth");
    accounts::offered(
        draft.source.person.accounts(),
        auth,
        request.account_filters.as_ref(),
    )
}

/// `accounts`: the person's choice.
pub(super) fn choose(memory: &mut Memory, call: &Step, now: Timestamp) -> Result<Value, PlaidError> {
    let link_token = live(memory, call, now)?;
    let (Stage::Accounts(draft) | Stage::Connected(draft)) = &session(link_token, call)?.stage else {
        return Err(wrong_step());
    };
    let mut draft = draft.clone();
    let chosen: Vec<_> = offered(&link_token.request, &draft)
        .filter(|account| call.account_ids.contains(&account.id(&draft.item_id)))
        .map(|account| account.key)
        .collect();
    if chosen.is_empty() || chosen.len() != call.account_ids.len() {
        return Err(PlaidError::invalid_field(
            "account_ids must name at least one of the offered accounts",
        ));
    }
    draft.accounts = Some(chosen);
    session(link_token, call)?.stage = Stage::Connected(draft);
    Ok(json!({"next": "connected"}))
}
