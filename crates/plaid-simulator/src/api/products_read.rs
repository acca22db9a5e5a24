//! `/auth/get`, `/identity/get` and `/liabilities/get`: <https://plaid.com/docs/api/products/>.

use super::prelude::*;
use super::reading::{OfAccounts, chosen, listed};
use crate::data::{Account, identity, liabilities, numbers};
use crate::simulator::ledger_view::{accounts_json, bank_hour, history};
use crate::spec::json::set;

/// `/auth/get`
pub(super) fn auth(call: &Call<'_>, request: OfAccounts) -> Result<Value, PlaidError> {
    call.read(&request.access_token, "auth", |item| {
        item.verified(call.now)?;
        let accounts = chosen(item, request.options.account_ids.as_deref())?;
        if !accounts.iter().any(|account| account.has_numbers()) {
            return Err(PlaidError::no_accounts("NO_AUTH_ACCOUNTS", "checking or savings"));
        }
        let numbers = numbers::json(
            &item.draft.source.person,
            item.draft.deposit.as_ref(),
            accounts.iter().copied(),
            item.id(),
            item.draft.institution,
        );
        let accounts = listed(accounts, &call.guesses, Account::has_numbers);
        let accounts = accounts_json(call.simulator, item, &accounts, call.now);
        Ok(json!({"accounts": accounts, "numbers": numbers, "item": call.item_json(item)}))
    })
}

/// `/identity/get`
pub(super) fn identity(call: &Call<'_>, request: OfAccounts) -> Result<Value, PlaidError> {
    call.read(&request.access_token, "identity", |item| {
        let accounts = chosen(item, request.options.account_ids.as_deref())?;
        let reported = accounts_json(call.simulator, item, &accounts, call.now);
        let accounts: Vec<_> = accounts
            .into_iter()
            .zip(reported)
            .map(|(account, mut json)| {
                let owners = identity::owners(&item.draft.source.person, account);
                set(&mut json, "owners", owners);
                json
            })
            .collect();
        Ok(json!({"accounts": accounts, "item": call.item_json(item)}))
    })
}

/// `/liabilities/get`
pub(super) fn liabilities(call: &Call<'_>, request: OfAccounts) -> Result<Value, PlaidError> {
    call.read(&request.access_token, "liabilities", |item| {
        let accounts = chosen(item, request.options.account_ids.as_deref())?;
        if !accounts
            .iter()
            .any(|account| liabilities::kind_of(account).is_some())
        {
            return Err(PlaidError::no_accounts("NO_LIABILITY_ACCOUNTS", "liability"));
        }
        let history = history(call.simulator, item);
        let hour = bank_hour(call.simulator, item, call.now);
        let liabilities = liabilities::json(&history, &accounts, item.id(), hour);
        let fits = |account: &Account| liabilities::kind_of(account).is_some();
        let accounts = listed(accounts, &call.guesses, fits);
        let accounts = accounts_json(call.simulator, item, &accounts, call.now);
        Ok(json!({"accounts": accounts, "liabilities": liabilities, "item": call.item_json(item)}))
    })
}
