//! `/accounts/get` and `/accounts/balance/get`: <https://plaid.com/docs/api/accounts/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
pub(super) use super::reading::OF_ACCOUNTS as GET;
use super::reading::{ACCOUNT_IDS, OfAccounts, chosen};
use crate::data::calendar::{date_of, day_of};
use crate::simulator::ledger_view::accounts_json;
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, TEXT, optional, required};
use crate::spec::guesses::AccountsWhileLoginRequired;

/// The one bank that only gives balances of some age
/// (<https://plaid.com/docs/api/products/balance/#accountsbalanceget>).
const CAPITAL_ONE: &str = "ins_128026";

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

/// `/accounts/get`: what the last pull brought.
pub(super) fn get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfAccounts = call.take()?;
    let item = call.item(&request.access_token)?;
    match item.readable(call.now, &call.guesses) {
        Err(error)
            if error.error_code != "ITEM_LOGIN_REQUIRED"
                || call.guesses.accounts_while_login_required == AccountsWhileLoginRequired::Refused =>
        {
            return Err(error);
        }
        _ => {}
    }
    let accounts = chosen(&item, request.options.account_ids.as_deref())?;
    let accounts = accounts_json(call.simulator, &item, &accounts, call.now);
    Ok(json!({"accounts": accounts, "item": call.item_json(&item)}))
}

#[derive(Deserialize)]
struct BalanceGet {
    access_token: String,
    #[serde(default)]
    options: BalanceOptions,
}

#[derive(Default, Deserialize)]
struct BalanceOptions {
    account_ids: Option<Vec<String>>,
    min_last_updated_datetime: Option<String>,
}

/// `/accounts/balance/get`: the simulator's banks have nothing newer than the last pull.
pub(super) fn balance_get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: BalanceGet = call.take()?;
    let item = call.item(&request.access_token)?;
    item.readable(call.now, &call.guesses)?;
    call.check_enabled("balance")?;
    if item.draft().is_manual() {
        // There is no login to ask the bank with (https://plaid.com/docs/errors/item/#products_not_supported).
        return Err(PlaidError::products_not_supported("balance"));
    }
    let accounts = chosen(&item, request.options.account_ids.as_deref())?;
    let mut updated = None;
    if item.institution().id == CAPITAL_ONE && accounts.iter().any(|account| account.kind != "depository") {
        updated = Some(check_age(
            request.options.min_last_updated_datetime.as_deref(),
            &call,
        )?);
    }
    let told = accounts_json(call.simulator, &item, &accounts, call.now);
    let accounts: Vec<_> = accounts
        .into_iter()
        .zip(told)
        .map(|(account, mut json)| {
            let aged = updated.as_ref().filter(|_| account.kind != "depository");
            if let (Some(updated), Some(balances)) =
                (aged, json.get_mut("balances").and_then(Value::as_object_mut))
            {
                balances.insert("last_updated_datetime".to_owned(), json!(updated));
            }
            json
        })
        .collect();
    Ok(json!({"accounts": accounts, "item": call.item_json(&item)}))
}

/// When the balances were last updated, if the caller takes balances of that age.
fn check_age(oldest: Option<&str>, call: &Call<'_>) -> Result<String, PlaidError> {
    let Some(oldest) = oldest.and_then(|oldest| oldest.parse::<jiff::Timestamp>().ok()) else {
        return Err(PlaidError::invalid_field(
            "options.min_last_updated_datetime is required at this institution for accounts that are no \
             depository accounts",
        ));
    };
    let updated = format!("{}T00:00:00Z", date_of(day_of(call.now)));
    if updated
        .parse::<jiff::Timestamp>()
        .is_ok_and(|updated| oldest > updated)
    {
        return Err(PlaidError::new(
            "INVALID_RESULT",
            "LAST_UPDATED_DATETIME_OUT_OF_RANGE",
            format!("requested datetime out of range, most recently updated balance {updated}"),
        ));
    }
    Ok(updated)
}
