//! `/item/…`: <https://plaid.com/docs/api/items/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use crate::simulator::ledger_view::updates;
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, TEXT, nullable, required};

/// A body with nothing but an access token.
#[derive(Deserialize)]
pub(super) struct OfItem {
    pub(super) access_token: String,
}

pub(super) const EXCHANGE: &[Field] = &[required("public_token", TEXT)];

#[derive(Deserialize)]
struct Exchange {
    public_token: String,
}

/// `/item/public_token/exchange`
pub(super) fn exchange(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Exchange = call.take()?;
    let switches = call.simulator.switches();
    let exchanged =
        call.simulator
            .state()
            .exchange(&call.client_id, &request.public_token, &switches, call.now)?;
    Ok(json!({"access_token": exchanged.access_token, "item_id": exchanged.item_id}))
}

pub(super) const GET: &[Field] = &[required("access_token", TEXT)];

/// `/item/get`: 200 with `item.error` for an Item that waits for a login, so this is the cheap health check.
pub(super) fn get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfItem = call.take()?;
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    let status = item.status_json(&updates(call.simulator), call.now);
    Ok(json!({"item": call.full_item_json(item), "status": status}))
}

pub(super) const REMOVE: &[Field] = &[
    required("access_token", TEXT),
    nullable(
        "reason_code",
        Kind::OneOf(&[
            "FRAUD_FIRST_PARTY",
            "FRAUD_FALSE_IDENTITY",
            "FRAUD_ABUSE",
            "FRAUD_OTHER",
            "CONNECTION_IS_NON_FUNCTIONAL",
            "OTHER",
        ]),
    ),
    nullable("reason_note", Kind::Text { min: 0, max: 512 }),
];

/// `/item/remove`
pub(super) fn remove(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfItem = call.take()?;
    call.simulator
        .state()
        .item(&call.client_id, &request.access_token, &call.guesses)?
        .remove()?;
    Ok(json!({}))
}

pub(super) const INVALIDATE: &[Field] = &[required("access_token", TEXT)];

/// `/item/access_token/invalidate`
pub(super) fn invalidate(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfItem = call.take()?;
    let token = call
        .simulator
        .state()
        .rotate(&call.client_id, &request.access_token, &call.guesses)?;
    Ok(json!({"new_access_token": token}))
}
