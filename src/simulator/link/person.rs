//! A person for tests without a browser.

use serde_json::Value;

use super::calls::{Step, finish, search, start};
use super::login::{choose, login};
use crate::simulator::Simulator;
use crate::simulator::error::PlaidError;

/// Link from start to end as a person with the standard test login does it, with all accounts that are offered.
pub(in crate::simulator) fn complete(simulator: &Simulator, link_token: &str) -> Result<Value, PlaidError> {
    let now = simulator.now();
    let mut memory = simulator.state();
    let mut call = Step {
        link_token: link_token.to_owned(),
        username: "user_good".to_owned(),
        password: "pass_good".to_owned(),
        ..Step::default()
    };
    let started = start(&mut memory, &call, now)?;
    call.link_session_id = text(&started, "/link_session_id");
    call.institution_id = text(&started, "/update_institution/institution_id");
    if call.institution_id.is_empty() {
        call.institution_id = text(
            &search(&mut memory, &call, now)?,
            "/institutions/0/institution_id",
        );
    }
    let logged_in = login(&mut memory, &call, now)?;
    if let Some(Value::Array(accounts)) = logged_in.get("accounts") {
        call.account_ids = accounts.iter().map(|account| text(account, "/id")).collect();
        choose(&mut memory, &call, now)?;
    }
    finish(&mut memory, &call, now)
}

/// The text at a place in an answer; empty when there is none.
fn text(answer: &Value, pointer: &str) -> String {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
