//! How far the verification of an Item's account numbers got.

use serde_json::Value;

use super::Item;
use crate::data::Account;
use crate::data::deposits::CodeTried;
use crate::spec::PlaidError;
use crate::spec::guesses::LastDepositCode;
use plaid_token_broker_core::clock::Timestamp;

/// What an account has to be before money can be moved; those of a usual login have no status at all.
const VERIFIED: [&str; 2] = [FOUND, "manually_verified"];
/// The status once an automated micro-deposit was found.
const FOUND: &str = "automatically_verified";

impl Item {
    /// `/sandbox/item/set_verification_status`
    pub(crate) fn set_verification(&mut self, account_id: String, status: String) {
        self.verification.insert(account_id, status);
    }

    /// The account's `verification_status`.
    pub(crate) fn verification(&self, account: &Account, now: Timestamp) -> Option<&str> {
        let set = self.verification.get(&account.id(self.id()));
        set.map(String::as_str).or_else(|| {
            let deposit = self.draft.deposit_of(account)?;
            deposit.status(now.since(self.created_at))
        })
    }

    /// The accounts as in Link's callbacks.
    pub(crate) fn link_accounts(&self, now: Timestamp) -> Value {
        self.accounts()
            .map(|account| account.link_json(self.id(), self.verification(account, now)))
            .collect()
    }

    /// The status of the account whose numbers were typed in.
    pub(crate) fn deposit_status(&self, now: Timestamp) -> Option<&str> {
        let deposit = self.draft.deposit.as_ref()?;
        let account = self.accounts().find(|account| deposit.is_of(account))?;
        self.verification(account, now)
    }

    /// Refuses to return or to use numbers that were typed in and are not verified
    /// (<https://plaid.com/docs/errors/item/#product_not_ready>).
    pub(crate) fn verified(&self, now: Timestamp) -> Result<(), PlaidError> {
        match self.deposit_status(now) {
            Some(status) if !VERIFIED.contains(&status) => Err(PlaidError::product_not_ready("ITEM_ERROR")),
            _ => Ok(()),
        }
    }

    /// The account whose deposit was found by itself, once: the caller sends the webhook.
    pub(crate) fn verifies_itself(&mut self, now: Timestamp) -> Option<String> {
        let deposit = self.draft.deposit.as_ref()?;
        let account = self.accounts().find(|account| deposit.is_of(account))?;
        let id = account.id(self.id());
        let status = deposit.status(now.since(self.created_at))?;
        if status != FOUND || self.is_removed() || self.verification.contains_key(&id) {
            return None;
        }
        self.set_verification(id.clone(), status.to_owned());
        Some(id)
    }

    /// The person comes back with a code; `None` when the Item waits for none.
    pub(crate) fn try_code(&mut self, code: &str, last: LastDepositCode) -> Option<CodeTried> {
        let deposit = self.draft.deposit.as_mut()?;
        Some(deposit.try_code(code, last))
    }
}
