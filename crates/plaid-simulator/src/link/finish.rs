//! The two ends of a session.

use serde_json::{Value, json};

use super::notices;
use super::turn::{Outcome, Turn, wrong_step};
use crate::items::Stage;
use crate::spec::guesses::DepositInstitution;
use crate::spec::json::set;
use crate::spec::{PlaidError, time_text};

/// `finish`: the person is done. In update mode the Item is healed here, and nothing needs to be exchanged
/// (<https://plaid.com/docs/link/update-mode/>). A payment or consent of Payment Initiation is agreed to, and makes no
/// Item.
pub(super) fn finish(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let now = turn.now;
    let link_token = turn.link_token()?;
    let update_item = link_token.update_item.clone();
    let client_id = link_token.client_id.clone();
    let hosted = link_token.hosted.clone();
    let request = link_token.request.clone();
    let session = turn.session()?;
    let Stage::Connected(draft) = &session.stage else {
        return Err(wrong_step());
    };
    let draft = draft.clone();
    let institution = match (draft.institution.known(), turn.guesses().deposit_institution) {
        (Some(institution), _) => institution.link_json(),
        (None, DepositInstitution::Null) => Value::Null,
        (None, DepositInstitution::Object) => json!({"name": null, "institution_id": null}),
    };
    let (public_token, accounts) = if request.is_payment() {
        (None, draft.link_accounts())
    } else if let Some(item_id) = update_item {
        let item = turn
            .memory
            .item_by_id(&item_id)
            .ok_or_else(PlaidError::item_not_found)?;
        item.repair(now)?;
        item.widen(&request);
        if let Some(chosen) = draft.accounts {
            item.choose(chosen);
        }
        let accounts = item.link_accounts(now);
        let public_token = turn.memory.new_update_token(&client_id, &item_id, now);
        (Some(public_token), accounts)
    } else {
        let accounts = draft.link_accounts();
        let user = (request.user_id.as_deref(), request.user_token.as_deref());
        turn.memory.note_user(&client_id, &draft.item_id, user);
        let public_token = turn.simulator.new_public_token(turn.memory, draft, true, now);
        (Some(public_token), accounts)
    };
    if let (true, Some(agreed)) = (request.is_payment(), &request.payment_initiation) {
        turn.memory
            .payment_book
            .agreed(&client_id, agreed, &time_text(now));
    }
    let metadata = turn
        .session()?
        .succeed(public_token.as_deref(), &institution, &accounts);
    notices::session_ended(turn);
    Ok(Outcome::Answer(match hosted {
        // With Hosted Link no token passes the browser.
        Some(hosted) => json!({"completion_redirect_uri": hosted.completion_redirect_uri}),
        None => json!({"public_token": public_token, "metadata": metadata}),
    }))
}

/// `exit`: the person leaves, or the link token expired. It accepts an expired token too, to report the reason.
pub(super) fn exit(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let (now, id) = (turn.now, turn.call.link_session_id.clone());
    let request_id = turn.request_id.clone();
    let fatal = turn.link_token().err();
    let link_token = turn.any_link_token().ok_or_else(PlaidError::invalid_link_token)?;
    let hosted = link_token.hosted.clone();
    let session = link_token
        .session(&id)
        .ok_or_else(PlaidError::invalid_link_token)?;
    if matches!(session.stage, Stage::Ended) {
        return Err(wrong_step());
    }
    session.request_id = request_id;
    session.act(now);
    let mut reported = session.leave(fatal.as_ref());
    if let Some(hosted) = hosted {
        set(
            &mut reported,
            "completion_redirect_uri",
            hosted.completion_redirect_uri,
        );
    }
    notices::session_ended(turn);
    Ok(Outcome::Answer(reported))
}
