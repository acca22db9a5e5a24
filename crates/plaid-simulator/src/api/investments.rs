//! `/investments/…`: <https://plaid.com/docs/api/products/investments/>.

use super::prelude::*;
use super::reading::{OfAccounts, chosen, listed, ready};
use super::transactions::{COUNT, USUAL_COUNT, check_period};
use crate::data::Account;
use crate::data::calendar::{Day, day_of, number_of};
use crate::data::holdings::{is_investment, portfolio};
use crate::data::investment_transactions::trades;
use crate::data::sync::Stage;
use crate::items::Item;
use crate::simulator::ledger_view::{accounts_json, history, stage};
use crate::spec::Guesses;
use crate::spec::json::set;

/// Plaid keeps 24 months.
const LONGEST_HISTORY: i64 = 730;

request! {
    pub(super) struct Transactions {
        required access_token: TEXT => String,
        required start_date: Kind::Date => Day,
        required end_date: Kind::Date => Day,
        optional options: Options::OBJECT => Options,
    }

    pub(super) struct Options {
        optional account_ids: TEXTS => Option<Vec<String>>,
        optional count: COUNT => Option<usize>,
        optional offset: FROM_ZERO => usize,
        optional async_update: Kind::Bool => bool,
    }
}

/// The accounts, at least one of which holds securities.
fn accounts<'a>(
    item: &'a Item,
    ids: Option<&[String]>,
    guesses: &Guesses,
) -> Result<Vec<&'a Account>, PlaidError> {
    let accounts = chosen(item, ids)?;
    if accounts.iter().any(|account| is_investment(account)) {
        Ok(listed(accounts, guesses, is_investment))
    } else {
        Err(PlaidError::no_accounts("NO_INVESTMENT_ACCOUNTS", "investment"))
    }
}

fn json_of(accounts: &[&Account], item: &Item, call: &Call<'_>) -> Vec<Value> {
    accounts_json(call.simulator, item, accounts, call.now)
        .into_iter()
        .map(|mut json| {
            if let Some(balances) = json.get_mut("balances") {
                set(balances, "margin_loan_amount", Value::Null);
            }
            json
        })
        .collect()
}

/// `/investments/holdings/get`
pub(super) fn holdings(call: &Call<'_>, request: OfAccounts) -> Result<Value, PlaidError> {
    let today = call.today();
    call.read(&request.access_token, "investments", |item| {
        let accounts = accounts(item, request.options.account_ids.as_deref(), &call.guesses)?;
        ready(call.simulator, item, call.now)?;
        let portfolio = portfolio(
            &item.draft.source.person,
            accounts.iter().copied(),
            item.id(),
            today,
        );
        let securities: Vec<_> = portfolio.securities.into_values().collect();
        Ok(json!({
            "accounts": json_of(&accounts, item, call),
            "holdings": portfolio.holdings,
            "securities": securities,
            "item": call.item_json(item),
            "is_investments_fallback_item": false,
        }))
    })
}

/// `/investments/transactions/get`. Without `async_update` the call waits for the bank, so it always finds data.
pub(super) fn transactions(call: &Call<'_>, request: Transactions) -> Result<Value, PlaidError> {
    check_period(request.start_date, request.end_date)?;
    let options = request.options;
    call.read(&request.access_token, "investments", |item| {
        let accounts = accounts(item, options.account_ids.as_deref(), &call.guesses)?;
        if options.async_update && stage(call.simulator, item, call.now) < Stage::Historical {
            return Err(PlaidError::product_not_ready("ITEM_ERROR"));
        }
        let today = day_of(call.now);
        let period = (
            number_of(request.start_date.0).max(today - LONGEST_HISTORY),
            number_of(request.end_date.0).min(today),
        );
        let history = history(call.simulator, item);
        let trades = trades(&history, accounts.iter().copied(), item.id(), period);
        let securities: Vec<_> = trades.securities.into_values().collect();
        let total = trades.transactions.len();
        let page: Vec<_> = trades
            .transactions
            .into_iter()
            .skip(options.offset)
            .take(options.count.unwrap_or(USUAL_COUNT))
            .collect();
        Ok(json!({
            "accounts": json_of(&accounts, item, call),
            "investment_transactions": page,
            "securities": securities,
            "total_investment_transactions": total,
            "item": call.item_json(item),
            "is_investments_fallback_item": false,
        }))
    })
}
