//! The steps in which the person types the code of a micro-deposit: at once, or when update mode brings them back
//! (<https://plaid.com/docs/auth/coverage/same-day/#prompt-user-to-verify-micro-deposit-code-in-link>).

use serde_json::{Value, json};

use super::turn::{Outcome, Turn, wrong_step};
use crate::data::deposits::{self, CodeTried};
use crate::items::{Item, Stage};
use crate::spec::PlaidError;

/// What the pane says.
pub(super) fn pane() -> Value {
    json!({"asks_code": true, "hint": "Test deposits always have the code ABC."})
}

/// The Item that update mode is for, if nobody logged in for it.
fn manual_item<'t>(turn: &'t mut Turn<'_>) -> Result<Option<&'t mut Item>, PlaidError> {
    let update_item = turn.link_token()?.update_item.clone();
    let item = update_item.and_then(|id| turn.memory.item_by_id(&id));
    Ok(item.filter(|item| item.draft.is_manual()))
}

/// Update mode of an Item that has no login: it asks for the code, or for nothing.
pub(super) fn begin(turn: &mut Turn<'_>) -> Result<Option<Outcome>, PlaidError> {
    let (now, guesses) = (turn.now, turn.guesses());
    let Some(item) = manual_item(turn)? else {
        return Ok(None);
    };
    let (draft, verified) = (item.draft.clone(), item.verified(now).is_ok());
    let status = item.deposit_status(now).map(str::to_owned);
    let stage = if verified {
        Stage::Connected(draft)
    } else {
        Stage::Verification(guesses.deposit_code_view)
    };
    let session = turn.session()?;
    session.closes_at_once = verified;
    session.record("OPEN", json!({"view_name": stage.view_name()}));
    session.show(stage);
    if verified || status.as_deref() == Some("pending_manual_verification") {
        return Ok(Some(Outcome::Pane));
    }
    Ok(Some(Outcome::Failed(deposits::locked(guesses.last_deposit_code))))
}

/// The pane that an error has covered: an account that is locked stays so.
pub(super) fn again(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let (now, last) = (turn.now, turn.guesses().last_deposit_code);
    let item = manual_item(turn)?.ok_or_else(wrong_step)?;
    if item.deposit_status(now) != Some("pending_manual_verification") {
        return Ok(Outcome::Failed(deposits::locked(last)));
    }
    let session = turn.session()?;
    let view_name = session.stage.view_name();
    session.record("TRANSITION_VIEW", json!({"view_name": view_name}));
    Ok(Outcome::Pane)
}

/// `deposit_code`: what was typed.
pub(super) fn submit(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let code = turn.call.code.clone();
    let last = turn.guesses().last_deposit_code;
    let session = turn.session()?;
    match &mut session.stage {
        Stage::DepositCode(draft) => {
            let deposit = draft.deposit.as_mut().ok_or_else(wrong_step)?;
            let tried = deposit.try_code(&code, last);
            let draft = draft.clone();
            match tried {
                CodeTried::Right => {
                    session.error = None;
                    session.show(Stage::Connected(draft));
                    Ok(Outcome::Pane)
                }
                CodeTried::Wrong(error) => Ok(Outcome::Wrong(error)),
                CodeTried::Locked(error) => {
                    // Nothing came of it, so there is nothing to lock: the person may begin anew.
                    session.institution = None;
                    session.method = None;
                    session.stage = Stage::Institutions { nothing_found: false };
                    Ok(Outcome::Failed(error))
                }
            }
        }
        Stage::Verification(_) => {
            let item = manual_item(turn)?.ok_or_else(wrong_step)?;
            let tried = item.try_code(&code, last).ok_or_else(wrong_step)?;
            let draft = item.draft.clone();
            match tried {
                CodeTried::Right => {
                    let session = turn.session()?;
                    session.error = None;
                    session.show(Stage::Connected(draft));
                    Ok(Outcome::Pane)
                }
                CodeTried::Wrong(error) => Ok(Outcome::Wrong(error)),
                CodeTried::Locked(error) => Ok(Outcome::Failed(error)),
            }
        }
        _ => Err(wrong_step()),
    }
}
