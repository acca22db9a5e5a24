//! `/sandbox/item/set_verification_status`: <https://plaid.com/docs/api/sandbox/#sandboxitemset_verification_status>.

use super::prelude::*;
use crate::webhooks::Webhook;

request! {
    pub(super) struct Set {
        required access_token: TEXT => String,
        required account_id: TEXT => String,
        required verification_status: Kind::OneOf(&["automatically_verified", "verification_expired"]) => String,
    }
}

/// `/sandbox/item/set_verification_status`: the account has the status from now on, and the webhook is sent.
pub(super) fn set(call: &Call<'_>, request: Set) -> Result<Value, PlaidError> {
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
