//! `/accounts/get` and `/accounts/balance/get`: <https://plaid.com/docs/api/accounts/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use crate::simulator::error::PlaidError;
use crate::simulator::fields::{Field, Kind, TEXT, optional, required};
use crate::simulator::ids::account_id;

const ACCOUNT_IDS: Kind = Kind::List { of: &TEXT, min: 0 };

pub(super) const GET: &[Field] = &[
    required("access_token", TEXT),
    optional("options", Kind::Object(&[optional("account_ids", ACCOUNT_IDS)])),
];

pub(super) const BALANCE_GET: &[Field] = &[
    required("access_token", TEXT),
    optional(
        "options",
        Kind::Object(&[
            optional("account_ids", ACCOUNT_IDS),
            optional("min_last_updated_datetime", Kind::DateTime),
        ]),
    ),
];

#[derive(Deserialize)]
struct Get {
    access_token: String,
    #[serde(default)]
    options: GetOptions,
}

#[derive(Default, Deserialize)]
struct GetOptions {
    account_ids: Option<Vec<String>>,
}

/// Both: the simulator's balances never move, so fresh ones are those of the cache.
pub(super) fn get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Get = call.take()?;
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token)?;
    item.readable(call.now)?;
    let ids: Vec<_> = item
        .accounts()
        .map(|account| account_id(item.id(), account.mask))
        .collect();
    let wanted = request.options.account_ids;
    for id in wanted.iter().flatten() {
        check_account_id(id, &ids)?;
    }
    let accounts: Vec<_> = item
        .accounts()
        .zip(&ids)
        .filter(|(_, id)| wanted.as_ref().is_none_or(|wanted| wanted.contains(id)))
        .map(|(account, id)| {
            let mut json = account.json(item.id());
            if let (Some(fields), Some(status)) = (json.as_object_mut(), item.verification(id)) {
                fields.insert("verification_status".to_owned(), status.into());
            }
            json
        })
        .collect();
    Ok(json!({"accounts": accounts, "item": item.json(call.now)}))
}

/// A malformed id is a bad field (Plaid's own Java tests see that), a well-formed unknown one a bad account.
pub(super) fn check_account_id(id: &str, known: &[String]) -> Result<(), PlaidError> {
    if known.iter().any(|known| known == id) {
        return Ok(());
    }
    if id.len() < 20 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(PlaidError::invalid_field(
            "account_ids contains a malformed account id",
        ));
    }
    Err(PlaidError::new(
        "INVALID_INPUT",
        "INVALID_ACCOUNT_ID",
        "one or more of the account ids are not of this Item",
    ))
}
