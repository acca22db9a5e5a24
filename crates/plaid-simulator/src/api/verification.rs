//! `/sandbox/item/set_verification_status`: <https://plaid.com/docs/api/sandbox/#sandboxitemset_verification_status>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, TEXT, required};
use crate::webhooks::Webhook;

pub(super) const SET: &[Field] = &[
    required("access_token", TEXT),
    required("account_id", TEXT),
    required(
        "verification_status",
        Kind::OneOf(&["automatically_verified", "verification_expired"]),
    ),
];

#[derive(Deserialize)]
struct Set {
    access_token: String,
    account_id: String,
    verification_status: String,
}

/// `/sandbox/item/set_verification_status`: the account has the status from now on, and the webhook is sent.
pub(super) fn set(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Set = call.take()?;
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    super::reading::account(item, &request.account_id)?;
    let code = if request.verification_status == "automatically_verified" {
        "AUTOMATICALLY_VERIFIED"
    } else {
        "VERIFICATION_EXPIRED"
    };
    let webhook = Webhook::new("AUTH", code, json!({"account_id": request.account_id}));
    item.set_verification(request.account_id, request.verification_status);
    call.simulator.send_webhook(item, webhook, call.now);
    Ok(json!({}))
}
