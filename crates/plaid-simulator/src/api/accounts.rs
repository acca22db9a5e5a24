//! `/accounts/get` and `/accounts/balance/get`: <https://plaid.com/docs/api/accounts/>.

use super::prelude::*;
use super::reading::{OfAccounts, chosen};
use crate::data::calendar::{date_of, day_of};
use crate::simulator::ledger_view::accounts_json;
use crate::spec::guesses::AccountsWhileLoginRequired;
use crate::spec::json::set;

/// The one bank that only has balances of some age
/// (<https://plaid.com/docs/api/products/balance/#accountsbalanceget>).
const CAPITAL_ONE: &str = "ins_128026";

request! {
    pub(super) struct BalanceGet {
        required access_token: TEXT => String,
        optional options: BalanceOptions::OBJECT => BalanceOptions,
    }

    pub(super) struct BalanceOptions {
        optional account_ids: TEXTS => Option<Vec<String>>,
        optional min_last_updated_datetime: Kind::DateTime => Option<String>,
    }
}

/// `/accounts/get`: what the last pull brought.
pub(super) fn get(call: &Call<'_>, request: OfAccounts) -> Result<Value, PlaidError> {
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

/// `/accounts/balance/get`: the simulator's banks have nothing newer than the last pull.
pub(super) fn balance_get(call: &Call<'_>, request: BalanceGet) -> Result<Value, PlaidError> {
    let item = call.item(&request.access_token)?;
    item.readable(call.now, &call.guesses)?;
    call.check_enabled("balance")?;
    if item.draft.is_manual() {
        // There is no login to ask the bank with (https://plaid.com/docs/errors/item/#products_not_supported).
        return Err(PlaidError::products_not_supported("balance"));
    }
    let accounts = chosen(&item, request.options.account_ids.as_deref())?;
    let mut updated = None;
    if item.draft.institution.id == CAPITAL_ONE && accounts.iter().any(|account| account.kind != "depository")
    {
        updated = Some(check_age(
            request.options.min_last_updated_datetime.as_deref(),
            call,
        )?);
    }
    let reported = accounts_json(call.simulator, &item, &accounts, call.now);
    let accounts: Vec<_> = accounts
        .into_iter()
        .zip(reported)
        .map(|(account, mut json)| {
            let aged = updated.as_ref().filter(|_| account.kind != "depository");
            if let (Some(updated), Some(balances)) = (aged, json.get_mut("balances")) {
                set(balances, "last_updated_datetime", &**updated);
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
