//! What the page shows at each stage of a session.

use serde_json::{Value, json};

use super::turn::Turn;
use super::{deposit_code, login, numbers};
use crate::items::{Session, Stage};
use crate::spec::PlaidError;
use crate::spec::guesses::TickedAccounts;
use crate::spec::json::set;

/// The pane of the session's stage, with what was wrong in the person's last answer.
pub(super) fn of(turn: &mut Turn<'_>, problem: Option<&PlaidError>) -> Result<Value, PlaidError> {
    let request = login::sought(turn)?;
    let updating = turn.link_token()?.update_item.is_some();
    let manual = numbers::are_offered(turn)?;
    let session = turn.session()?;
    let view = session.stage.view_name();
    let exit_status = session.stage.exit_status();
    let mut pane = match &session.stage {
        Stage::Consent => {
            // Longer names are not shown (https://plaid.com/docs/api/link/#link-token-create-request-client-name).
            let name = &request.client_name;
            let too_long = name.chars().count() > 30;
            json!({
                "client_name": if too_long { "This Application" } else { name.as_str() },
                "products": request.products(),
            })
        }
        Stage::Mfa { mfa, .. } => mfa.pane(),
        Stage::OAuth => {
            json!({"oauth_state_id": session.visit.as_ref().map(|visit| visit.state_id.clone())})
        }
        Stage::Accounts(draft) => {
            let draft = draft.clone();
            let item_id = &draft.item_id;
            let single = login::single_account(&request, session.method);
            let ticked = turn.guesses().ticked_accounts == TickedAccounts::All;
            let chosen = login::chosen_before(turn)?;
            let accounts: Vec<_> = login::offered(&request, &draft)
                .iter()
                .map(|account| {
                    let mut reported = account.link_json(item_id, None);
                    let id = account.id(item_id);
                    let selected = !single && chosen.as_ref().map_or(ticked, |chosen| chosen.contains(&id));
                    set(&mut reported, "selected", selected);
                    reported
                })
                .collect();
            json!({"accounts": accounts, "single": single})
        }
        Stage::Institutions { .. } => json!({"manual": manual}),
        Stage::Numbers(draft) => numbers::pane(&request, session.method, draft.as_ref()),
        Stage::DepositCode(_) | Stage::Verification(_) => deposit_code::pane(),
        Stage::Connected(draft) => {
            json!({"closes_at_once": session.closes_at_once, "note": numbers::note(draft)})
        }
        _ => json!({}),
    };
    let session = turn.session()?;
    set(&mut pane, "view", view);
    set(&mut pane, "institution", session.institution_json());
    set(&mut pane, "exit_status", exit_status);
    set(&mut pane, "updating", updating);
    set(
        &mut pane,
        "problem",
        problem.and_then(|error| error.display_message),
    );
    Ok(json!({"link_session_id": session.id, "pane": pane}))
}

/// An error in the pane's place.
pub(super) fn of_error(session: &Session, error: &PlaidError, manual: bool) -> Value {
    let updating = session.updating;
    json!({
        "link_session_id": session.id,
        "pane": {
            "view": "ERROR",
            "error": session.error,
            "message": error.display_message.unwrap_or(&error.message),
            "institution": session.institution_json(),
            "exit_status": session.stage.exit_status(),
            "updating": updating,
            "manual": manual,
        },
    })
}
