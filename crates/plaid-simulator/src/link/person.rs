//! A person for tests without a browser.

use serde_json::Value;

use super::calls::take;
use super::turn::{Step, Turn};
use crate::simulator::Simulator;
use crate::spec::PlaidError;

/// Link from start to end as a person with the standard test login does it, at the first bank without a page of
/// its own and with all accounts that are offered.
pub(crate) fn complete(simulator: &Simulator, link_token: &str) -> Result<Value, PlaidError> {
    let mut memory = simulator.state();
    let hosted = memory
        .link_tokens
        .get(link_token)
        .and_then(|link_token| link_token.hosted.as_ref())
        .map(|hosted| hosted.id.clone());
    let step = Step {
        link_token: link_token.to_owned(),
        hosted: hosted.unwrap_or_default(),
        username: "user_good".to_owned(),
        password: "pass_good".to_owned(),
        ..Step::default()
    };
    let mut turn = Turn::new(simulator, &mut memory, step);
    let started = take(&mut turn, "start")?;
    turn.call.link_session_id = text(&started, "/link_session_id");
    let mut shown = started;
    if view(&shown) == "CONSENT" {
        shown = take(&mut turn, "continue")?;
    }
    if view(&shown) == "SELECT_AUTH_TYPE" {
        "flow_type_instant".clone_into(&mut turn.call.selection);
        shown = take(&mut turn, "auth_type")?;
    }
    if view(&shown) == "SELECT_INSTITUTION" {
        let found = take(&mut turn, "institutions")?;
        turn.call.institution_id = text(&found, "/institutions/0/institution_id");
        shown = take(&mut turn, "select")?;
    }
    if view(&shown) == "OAUTH" {
        turn.call.popup = true;
        take(&mut turn, "oauth")?;
        if let Some(visit) = &mut turn.session()?.visit {
            visit.granted = Some(true);
        }
        shown = take(&mut turn, "oauth_result")?;
    } else if view(&shown) == "CREDENTIAL" {
        shown = take(&mut turn, "login")?;
    } else if shown.pointer("/pane/asks_code").is_some() {
        "ABC".clone_into(&mut turn.call.code);
        shown = take(&mut turn, "deposit_code")?;
    }
    if let Some(Value::Array(accounts)) = shown.pointer("/pane/accounts") {
        turn.call.account_ids = accounts.iter().map(|account| text(account, "/id")).collect();
        take(&mut turn, "accounts")?;
    }
    take(&mut turn, "finish")?;
    Ok(turn.session()?.success.clone())
}

fn view(answer: &Value) -> String {
    text(answer, "/pane/view")
}

/// The text at a place in an answer; empty when there is none.
fn text(answer: &Value, pointer: &str) -> String {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
