//! What has been pulled of an Item's data by some moment.

use super::accounts::Account;
use super::data::calendar::number_of;
use super::data::movement::History;
use super::data::sync::{Ledger, Stage};
use super::guesses::BankNews;
use super::item::Item;
use super::{Inner, Simulator};
use crate::clock::Timestamp;

/// The history of the person behind an Item.
pub(super) fn history<'a>(simulator: &Simulator, item: &'a Item) -> History<'a> {
    let Inner { seed, .. } = &*simulator.0;
    History::new(&item.source().person, seed, item.institution().id)
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
