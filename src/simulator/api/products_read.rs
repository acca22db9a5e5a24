//! `/auth/get`, `/identity/get` and `/liabilities/get`: <https://plaid.com/docs/api/products/>.

use serde_json::{Value, json};

use super::Call;
use super::reading::{OfAccounts, chosen, listed};
use crate::simulator::accounts::Account;
use crate::simulator::data::{identity, liabilities, numbers};
use crate::simulator::error::PlaidError;

/// `/auth/get`
pub(super) fn auth(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfAccounts = call.take()?;
    call.read(&request.access_token, "auth", |item| {
        item.verified(call.now)?;
        let accounts = chosen(item, request.options.account_ids.as_deref())?;
        if !accounts.iter().any(|account| account.has_numbers()) {
            return Err(PlaidError::no_accounts("NO_AUTH_ACCOUNTS", "checking or savings"));
        }
        let numbers = numbers::json(
            &item.source().person,
            item.deposit(),
            accounts.iter().copied(),
            item.id(),
            item.institution().country,
        );
        let accounts: Vec<_> = listed(accounts, &call.guesses, Account::has_numbers)
            .into_iter()
            .map(|account| item.account_json(account, call.now))
            .collect();
        Ok(json!({"accounts": accounts, "numbers": numbers, "item": item.json(call.now, &call.guesses)}))
    })
}

/// `/identity/get`
pub(super) fn identity(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfAccounts = call.take()?;
    call.read(&request.access_token, "identity", |item| {
        let accounts: Vec<_> = chosen(item, request.options.account_ids.as_deref())?
            .into_iter()
            .map(|account| {
                let mut json = item.account_json(account, call.now);
                if let Some(json) = json.as_object_mut() {
                    let owners = identity::owners(&item.source().person, account);
                    json.insert("owners".to_owned(), owners);
                }
                json
            })
            .collect();
        Ok(json!({"accounts": accounts, "item": item.json(call.now, &call.guesses)}))
    })
}

/// `/liabilities/get`
pub(super) fn liabilities(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfAccounts = call.take()?;
    let today = call.today();
    call.read(&request.access_token, "liabilities", |item| {
        let accounts = chosen(item, request.options.account_ids.as_deref())?;
        if !accounts
            .iter()
            .any(|account| liabilities::kind_of(account).is_some())
        {
            return Err(PlaidError::no_accounts("NO_LIABILITY_ACCOUNTS", "liability"));
        }
        let liabilities = liabilities::json(&item.source().person, &accounts, item.id(), today);
        let fits = |account: &Account| liabilities::kind_of(account).is_some();
        let accounts: Vec<_> = listed(accounts, &call.guesses, fits)
            .into_iter()
            .map(|account| item.account_json(account, call.now))
            .collect();
        Ok(json!({"accounts": accounts, "liabilities": liabilities, "item": item.json(call.now, &call.guesses)}))
    })
}
