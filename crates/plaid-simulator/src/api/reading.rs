//! What all reads of an Item's data share: the Item, its product, and the accounts that are wanted.

use jiff::civil::Date;

use super::prelude::*;
use crate::data::Account;
use crate::data::calendar::{date_of, day_of};
use crate::data::sync::Stage;
use crate::items::Item;
use crate::simulator::Simulator;
use crate::simulator::ledger_view::stage;
use crate::spec::Guesses;
use crate::spec::guesses::ProductAccounts;
use plaid_token_broker_core::clock::Timestamp;

request! {
    /// The body of reads that can only choose accounts.
    pub(super) struct OfAccounts {
        required access_token: TEXT => String,
        optional options: AccountOptions::OBJECT => AccountOptions,
    }

    pub(super) struct AccountOptions {
        optional account_ids: TEXTS => Option<Vec<String>>,
    }
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
            let item = state.item(&self.client_id, access_token, &self.guesses)?;
            item.readable(self.now, &self.guesses)?;
            self.check_enabled(product)?;
            item.enable(product, self.guesses.missing_consent)?;
            item.clone()
        };
        let _turn = self.simulator.turn(item.id());
        read(&item)
    }

    /// Refuses a product that Plaid has not enabled for the client: no consent of a person's would help.
    pub(super) fn check_enabled(&self, product: &str) -> Result<(), PlaidError> {
        self.simulator
            .check_enabled(&self.client_id, [&product.to_owned()])
    }

    /// Plaid's Item object, as calls for data embed it.
    pub(super) fn item_json(&self, item: &Item) -> Value {
        self.only_enabled(item.json(self.now, &self.guesses))
    }

    /// Plaid's Item object, as in `/item/get`.
    pub(super) fn full_item_json(&self, item: &Item) -> Value {
        self.only_enabled(item.full_json(self.now, &self.guesses))
    }

    /// What is not enabled for the client is not available to it either.
    fn only_enabled(&self, mut item: Value) -> Value {
        let available = item.get_mut("available_products").and_then(Value::as_array_mut);
        if let Some(available) = available {
            available.retain(|product| {
                product
                    .as_str()
                    .is_some_and(|name| self.check_enabled(name).is_ok())
            });
        }
        item
    }

    /// A copy of the client's own Item, which others need not wait for.
    pub(super) fn item(&self, access_token: &str) -> Result<Item, PlaidError> {
        let mut state = self.simulator.state();
        let item = state.item(&self.client_id, access_token, &self.guesses)?;
        Ok(item.clone())
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

/// The accounts that a product's call lists, of those that were chosen.
pub(super) fn listed<'a>(
    accounts: Vec<&'a Account>,
    guesses: &Guesses,
    fits: impl Fn(&Account) -> bool,
) -> Vec<&'a Account> {
    match guesses.product_accounts {
        ProductAccounts::All => accounts,
        ProductAccounts::Fitting => accounts.into_iter().filter(|account| fits(account)).collect(),
    }
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
    refuse_if(
        id.len() < 20 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "account_ids contains a malformed account id",
    )?;
    Err(PlaidError::invalid_account_id())
}

/// Refuses what has to be pulled from the bank first and has not been.
pub(super) fn ready(simulator: &Simulator, item: &Item, now: Timestamp) -> Result<(), PlaidError> {
    if stage(simulator, item, now) == Stage::Nothing {
        Err(PlaidError::product_not_ready("ITEM_ERROR"))
    } else {
        Ok(())
    }
}
