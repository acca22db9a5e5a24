//! What has been pulled of an Item's data by some moment.

use serde_json::Value;

use super::accounts::Account;
use super::data::balance;
use super::data::calendar::number_of;
use super::data::movement::History;
use super::data::sync::{self, Ledger, Stage};
use super::guesses::BankNews;
use super::item::Item;
use super::item::health::Updates;
use super::{Simulator, lock};
use plaid_token_broker_core::clock::Timestamp;

/// The history of the person behind an Item.
pub(super) fn history<'a>(simulator: &Simulator, item: &'a Item) -> History<'a> {
    let seed = lock(&simulator.0.seed).clone();
    let person = &item.source().person;
    let linked_at = bank_hour(simulator, item, item.created_at());
    History::new(person, &seed, item.institution().id, linked_at)
}

/// The hour whose news an Item has at a moment.
pub(super) fn bank_hour(simulator: &Simulator, item: &Item, now: Timestamp) -> i64 {
    let hourly = simulator.switches().guesses.bank_news == BankNews::Hourly;
    sync::bank_hour(&item.source().person, hourly, now)
}

/// When banks are asked for news.
pub(super) fn updates(simulator: &Simulator) -> Updates {
    Updates {
        delay: simulator.0.data_delay,
        hourly: simulator.switches().guesses.bank_news == BankNews::Hourly,
    }
}

/// Accounts of the Item with their balances of now.
pub(super) fn accounts_now(
    simulator: &Simulator,
    item: &Item,
    accounts: &[&Account],
    now: Timestamp,
) -> Vec<Account> {
    let history = history(simulator, item);
    let hour = bank_hour(simulator, item, now);
    let own = item.source().person.accounts();
    accounts
        .iter()
        .filter_map(|account| own.iter().find(|own| own.key == account.key))
        .map(|account| balance::at(&history, account, hour))
        .collect()
}

/// The same as calls for data tell them.
pub(super) fn accounts_json(
    simulator: &Simulator,
    item: &Item,
    accounts: &[&Account],
    now: Timestamp,
) -> Vec<Value> {
    let accounts = accounts_now(simulator, item, accounts, now);
    accounts
        .iter()
        .map(|account| item.account_json(account, now))
        .collect()
}

/// The transactions of these accounts.
pub(super) fn ledger<'a>(simulator: &Simulator, item: &'a Item, accounts: Vec<&'a Account>) -> Ledger<'a> {
    /// Plaid's default of `days_requested`.
    const USUAL_DAYS: u16 = 90;
    Ledger {
        history: history(simulator, item),
        accounts,
        created_at: item.created_at(),
        days_requested: item.source().days_requested.unwrap_or(USUAL_DAYS),
        asked: {
            let (first, last) = item.source().transactions;
            (
                first.map(|day| number_of(day.0)),
                last.map(|day| number_of(day.0)),
            )
        },
        hourly: simulator.switches().guesses.bank_news == BankNews::Hourly,
    }
}

/// How much of an Item's history has been pulled by now.
pub(super) fn stage(simulator: &Simulator, item: &Item, now: Timestamp) -> Stage {
    let delay = simulator.0.data_delay;
    let age = now.since(item.created_at());
    if age >= delay * 3 {
        Stage::Historical
    } else if age >= delay {
        Stage::Initial
    } else {
        Stage::Nothing
    }
}
