//! What all reads of an Item's data share: the Item, its product, and the accounts that are wanted.

use jiff::civil::Date;
use serde::Deserialize;

use super::Call;
use crate::clock::Timestamp;
use crate::simulator::accounts::Account;
use crate::simulator::data::calendar::{date_of, day_of};
use crate::simulator::data::movement::History;
use crate::simulator::data::sync::{Ledger, Stage};
use crate::simulator::error::PlaidError;
use crate::simulator::fields::{Field, Kind, TEXT, optional, required};
use crate::simulator::item::Item;
use crate::simulator::{Inner, Simulator};

pub(super) const ACCOUNT_IDS: Kind = Kind::List { of: &TEXT, min: 0 };

/// The fields of reads that can only choose accounts.
pub(super) const OF_ACCOUNTS: &[Field] = &[
    required("access_token", TEXT),
    optional("options", Kind::Object(&[optional("account_ids", ACCOUNT_IDS)])),
];

/// The body of these reads.
#[derive(Deserialize)]
pub(super) struct OfAccounts {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) options: AccountOptions,
}

#[derive(Default, Deserialize)]
pub(super) struct AccountOptions {
    pub(super) account_ids: Option<Vec<String>>,
}

impl Call<'_> {
    /// Lets `read` see an Item that has `product`, if it can be read now. It sees a copy: making up data takes
    /// milliseconds, in which other calls need not wait.
    pub(super) fn read<T>(
        &self,
        access_token: &str,
        product: &str,
        read: impl FnOnce(&Item) -> Result<T, PlaidError>,
    ) -> Result<T, PlaidError> {
        let item = {
            let mut state = self.simulator.state();
            let item = state.item(&self.client_id, access_token)?;
            item.readable(self.now)?;
            item.enable(product)?;
            item.clone()
        };
        read(&item)
    }

    pub(super) fn today(&self) -> Date {
        date_of(day_of(self.now))
    }
}

/// The accounts of the Item with these ids; all without a list.
pub(super) fn chosen<'a>(item: &'a Item, ids: Option<&[String]>) -> Result<Vec<&'a Account>, PlaidError> {
    let Some(ids) = ids else {
        return Ok(item.accounts().collect());
    };
    let known: Vec<_> = item
        .accounts()
        .map(|account| (account.id(item.id()), account))
        .collect();
    for id in ids {
        check_account_id(id, known.iter().map(|(known, _)| known.as_str()))?;
    }
    Ok(known
        .into_iter()
        .filter(|(known, _)| ids.contains(known))
        .map(|(_, account)| account)
        .collect())
}

/// The one account of the Item with this id.
pub(super) fn account<'a>(item: &'a Item, id: &str) -> Result<&'a Account, PlaidError> {
    let ids = [id.to_owned()];
    chosen(item, Some(&ids))?
        .first()
        .copied()
        .ok_or_else(|| PlaidError::invalid_field("account_id names no account"))
}

/// A malformed id is a bad field (Plaid's own Java tests see that), a well-formed unknown one a bad account.
fn check_account_id<'a>(id: &str, mut known: impl Iterator<Item = &'a str>) -> Result<(), PlaidError> {
    if known.any(|known| known == id) {
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

/// Refuses what has to be pulled from the bank first and has not been.
pub(super) fn ready(simulator: &Simulator, item: &Item, now: Timestamp) -> Result<(), PlaidError> {
    if stage(simulator, item, now) == Stage::Nothing {
        Err(PlaidError::product_not_ready("ITEM_ERROR"))
    } else {
        Ok(())
    }
}
