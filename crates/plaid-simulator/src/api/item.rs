//! `/item/…`: <https://plaid.com/docs/api/items/>.

use super::prelude::*;
use crate::simulator::ledger_view::updates;

request! {
    /// A body with nothing but an access token.
    pub(super) struct OfItem {
        required access_token: TEXT => String,
    }

    pub(super) struct Exchange {
        required public_token: TEXT => String,
    }

    pub(super) struct Remove {
        required access_token: TEXT => String,
        nullable reason_code: Kind::OneOf(&[
            "FRAUD_FIRST_PARTY", "FRAUD_FALSE_IDENTITY", "FRAUD_ABUSE", "FRAUD_OTHER", "CONNECTION_IS_NON_FUNCTIONAL",
            "OTHER",
        ]),
        nullable reason_note: text(0, 512),
    }
}

/// `/item/public_token/exchange`
pub(super) fn exchange(call: &Call<'_>, request: Exchange) -> Result<Value, PlaidError> {
    let switches = call.simulator.switches();
    let exchanged =
        call.simulator
            .state()
            .exchange(&call.client_id, &request.public_token, &switches, call.now)?;
    Ok(json!({"access_token": exchanged.access_token, "item_id": exchanged.item_id}))
}

/// `/item/get`: 200 with `item.error` for an Item that waits for a login, so this is the cheap health check.
pub(super) fn get(call: &Call<'_>, request: OfItem) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    let status = item.status_json(&updates(call.simulator), call.now);
    Ok(json!({"item": call.full_item_json(item), "status": status}))
}

/// `/item/remove`
pub(super) fn remove(call: &Call<'_>, request: Remove) -> Result<Value, PlaidError> {
    call.simulator
        .state()
        .item(&call.client_id, &request.access_token, &call.guesses)?
        .remove()?;
    Ok(json!({}))
}

/// `/item/access_token/invalidate`
pub(super) fn invalidate(call: &Call<'_>, request: OfItem) -> Result<Value, PlaidError> {
    let token = call
        .simulator
        .state()
        .rotate(&call.client_id, &request.access_token, &call.guesses)?;
    Ok(json!({"new_access_token": token}))
}
