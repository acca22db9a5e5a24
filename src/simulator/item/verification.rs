//! How far the verification of an Item's account numbers got.

use std::time::Duration;

use serde_json::Value;

use super::{Draft, Item};
use crate::clock::Timestamp;
use crate::simulator::accounts::Account;
use crate::simulator::auth_flags::MANUAL_PRODUCTS;
use crate::simulator::deposits::{CodeTried, Deposit};
use crate::simulator::error::PlaidError;
use crate::simulator::guesses::LastDepositCode;

/// What an account has to be before money can be moved; those of a usual login have no status at all.
const VERIFIED: [&str; 2] = ["automatically_verified", "manually_verified"];

impl Draft {
    /// Whether the Item knows nothing but what was typed in: there is no login behind it.
    pub(in crate::simulator) fn is_manual(&self) -> bool {
        self.deposit
            .as_ref()
            .is_some_and(|deposit| deposit.method.is_manual())
    }

    /// Whether the Item can have this product.
    pub(in crate::simulator) fn supports(&self, product: &str) -> bool {
        if self.is_manual() {
            MANUAL_PRODUCTS.contains(&product)
        } else {
            self.institution.supports(product)
        }
    }

    fn deposit_of(&self, account: &Account) -> Option<&Deposit> {
        self.deposit.as_ref().filter(|deposit| deposit.is_of(account))
    }

    /// The accounts that were chosen, as Link's callbacks tell them.
    pub(in crate::simulator) fn link_accounts(&self) -> Value {
        let told = self.accounts().map(|account| {
            let deposit = self.deposit_of(account);
            account.link_json(
                &self.item_id,
                deposit.and_then(|deposit| deposit.status(Duration::ZERO)),
            )
        });
        told.collect()
    }
}

impl Item {
    /// What the Item is made of.
    pub(in crate::simulator) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The account numbers that were typed in.
    pub(in crate::simulator) fn deposit(&self) -> Option<&Deposit> {
        self.draft.deposit.as_ref()
    }

    /// `/sandbox/item/set_verification_status`
    pub(in crate::simulator) fn set_verification(&mut self, account_id: String, status: String) {
        self.verification.insert(account_id, status);
    }

    /// The account's `verification_status`.
    pub(in crate::simulator) fn verification(&self, account: &Account, now: Timestamp) -> Option<&str> {
        let set = self.verification.get(&account.id(self.id()));
        set.map(String::as_str).or_else(|| {
            let deposit = self.draft.deposit_of(account)?;
            deposit.status(now.since(self.created_at))
        })
    }

    /// The accounts as Link's callbacks tell them.
    pub(in crate::simulator) fn link_accounts(&self, now: Timestamp) -> Value {
        self.accounts()
            .map(|account| account.link_json(self.id(), self.verification(account, now)))
            .collect()
    }

    /// The status of the account whose numbers were typed in.
    pub(in crate::simulator) fn deposit_status(&self, now: Timestamp) -> Option<&str> {
        let deposit = self.deposit()?;
        let account = self.accounts().find(|account| deposit.is_of(account))?;
        self.verification(account, now)
    }

    /// Refuses to tell or to use numbers that were typed in and are not verified
    /// (<https://plaid.com/docs/errors/item/#product_not_ready>).
    pub(in crate::simulator) fn verified(&self, now: Timestamp) -> Result<(), PlaidError> {
        match self.deposit_status(now) {
            Some(status) if !VERIFIED.contains(&status) => Err(PlaidError::product_not_ready("ITEM_ERROR")),
            _ => Ok(()),
        }
    }

    /// The account whose deposit was found by itself, when nobody was told yet; whoever asks tells.
    pub(in crate::simulator) fn verifies_itself(&mut self, now: Timestamp) -> Option<String> {
        if self.verification_announced {
            return None;
        }
        let deposit = self.deposit()?;
        let account = self.accounts().find(|account| deposit.is_of(account))?;
        let id = account.id(self.id());
        let found = deposit.status(now.since(self.created_at)) == Some("automatically_verified");
        if !found || self.is_removed() || self.verification.contains_key(&id) {
            return None;
        }
        self.verification_announced = true;
        Some(id)
    }

    /// The person comes back with a code; `None` when the Item waits for none.
    pub(in crate::simulator) fn try_code(&mut self, code: &str, last: LastDepositCode) -> Option<CodeTried> {
        let deposit = self.draft.deposit.as_mut()?;
        Some(deposit.try_code(code, last))
    }
}
