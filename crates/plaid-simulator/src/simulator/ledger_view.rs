//! What has been pulled of an Item's data by some moment.

use serde_json::Value;

use crate::data::calendar::number_of;
use crate::data::sync::{self, Ledger, Stage};
use crate::data::{Account, History, balance};
use crate::items::Item;
use crate::items::item::health::Updates;
use crate::simulator::Simulator;
use crate::spec::guesses::BankNews;
use crate::spec::lock;
use plaid_token_broker_core::clock::Timestamp;

/// The history of the person behind an Item.
pub(crate) fn history<'a>(simulator: &Simulator, item: &'a Item) -> History<'a> {
    let seed = lock(&simulator.0.seed).clone();
    let person = &item.draft.source.person;
    let linked_at = bank_hour(simulator, item, item.created_at);
    History::new(person, &seed, item.draft.institution.id, linked_at)
}

/// The hour whose news an Item has at a moment.
pub(crate) fn bank_hour(simulator: &Simulator, item: &Item, now: Timestamp) -> i64 {
    let hourly = simulator.switches().guesses.bank_news == BankNews::Hourly;
    sync::bank_hour(&item.draft.source.person, hourly, now)
}

/// When banks are asked for news.
pub(crate) fn updates(simulator: &Simulator) -> Updates {
    Updates {
        delay: simulator.0.data_delay,
        hourly: simulator.switches().guesses.bank_news == BankNews::Hourly,
    }
}

/// Accounts of the Item with their balances of now.
pub(crate) fn accounts_now(
    simulator: &Simulator,
    item: &Item,
    accounts: &[&Account],
    now: Timestamp,
) -> Vec<Account> {
    let history = history(simulator, item);
    let hour = bank_hour(simulator, item, now);
    let own = item.draft.source.person.accounts();
    accounts
        .iter()
        .filter_map(|account| own.iter().find(|own| own.key == account.key))
        .map(|account| balance::at(&history, account, hour))
        .collect()
}

/// The same as JSON, as calls for data return them.
pub(crate) fn accounts_json(
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
pub(crate) fn ledger<'a>(simulator: &Simulator, item: &'a Item, accounts: Vec<&'a Account>) -> Ledger<'a> {
    /// Plaid's default of `days_requested`.
    const USUAL_DAYS: u16 = 90;
    Ledger {
        history: history(simulator, item),
        accounts,
        created_at: item.created_at,
        days_requested: item.draft.source.days_requested.unwrap_or(USUAL_DAYS),
        asked: {
            let (first, last) = item.draft.source.transactions;
            (
                first.map(|day| number_of(day.0)),
                last.map(|day| number_of(day.0)),
            )
        },
        hourly: simulator.switches().guesses.bank_news == BankNews::Hourly,
    }
}

/// How much of an Item's history has been pulled by now.
pub(crate) fn stage(simulator: &Simulator, item: &Item, now: Timestamp) -> Stage {
    let delay = simulator.0.data_delay;
    let age = now.since(item.created_at);
    if age >= delay * 3 {
        Stage::Historical
    } else if age >= delay {
        Stage::Initial
    } else {
        Stage::Nothing
    }
}
