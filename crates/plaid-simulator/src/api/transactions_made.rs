//! Where the caller of `/transactions/sync` stands among the transactions that were put on an Item.

use super::prelude::*;
use crate::data::Account;
use crate::items::Item;
use crate::items::made_transactions::Made;

/// What `/sandbox/transactions/create` put on these accounts, oldest first.
pub(super) fn made(call: &Call<'_>, item: &Item, accounts: &[&Account]) -> Vec<Made> {
    let state = call.simulator.state();
    let all = state
        .made_transactions
        .get(item.id())
        .cloned()
        .unwrap_or_default();
    let of = |made: &Made| {
        accounts
            .iter()
            .any(|account| account.id(item.id()) == made.account_id)
    };
    all.into_iter().filter(of).collect()
}

/// How many of the transactions that were put on the Item the caller has, and how many there are: the part of a cursor
/// after its dot.
#[derive(Clone, Copy)]
pub(super) struct MadeCursor {
    pub(super) has: usize,
    pub(super) target: usize,
}

impl MadeCursor {
    pub(super) fn parse(text: &str, rest: &str, made: usize, within: bool) -> Result<Self, PlaidError> {
        let all = |has| Self { has, target: made };
        if text.is_empty() {
            return Ok(all(if rest == "now" { made } else { 0 }));
        }
        let (has, target) = text
            .split_once('-')
            .and_then(|(has, target)| Some((has.parse::<usize>().ok()?, target.parse::<usize>().ok()?)))
            .filter(|(has, _)| *has <= made)
            .ok_or_else(|| PlaidError::invalid_field("cursor not associated with access_token"))?;
        if within && target != made {
            return Err(PlaidError::transactions_changed());
        }
        Ok(all(has))
    }

    /// Nothing when there are none.
    pub(super) fn text(self) -> String {
        if self.target == 0 {
            String::new()
        } else {
            format!(".{}-{}", self.has, self.target)
        }
    }
}
