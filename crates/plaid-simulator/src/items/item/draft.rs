//! What an Item is made of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::data::deposits::Deposit;
use crate::data::{Account, Source, accounts};
use crate::spec::products::{self, MANUAL_PRODUCTS};
use crate::spec::{Institution, institutions};

/// What Link, or the Sandbox call, decided.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Draft {
    pub(crate) item_id: Arc<str>,
    pub(crate) client_id: Arc<str>,
    #[serde(deserialize_with = "institutions::as_id::deserialize")]
    pub(crate) institution: &'static Institution,
    /// On the Item from the start.
    #[serde(deserialize_with = "products::as_names::deserialize")]
    pub(crate) products: Vec<&'static str>,
    /// Consented to beside `products`.
    #[serde(deserialize_with = "products::as_names::deserialize")]
    pub(crate) consented_products: Vec<&'static str>,
    /// Whether `auth` was in `products`, where it hides accounts without numbers; in the other lists it does not.
    #[serde(default)]
    pub(crate) auth_hides_accounts: bool,
    pub(crate) webhook: Option<String>,
    /// What was typed as the username at the bank's own page, where it only distinguishes logins.
    #[serde(default)]
    pub(crate) login: Option<Box<str>>,
    /// Account numbers that were typed in.
    #[serde(default)]
    pub(crate) deposit: Option<Deposit>,
    /// What the Item's data is made of.
    pub(crate) source: Source,
    /// Keys of the chosen accounts; `None`: all.
    #[serde(deserialize_with = "accounts::as_keys::deserialize")]
    pub(crate) accounts: Option<Vec<&'static str>>,
}

impl Draft {
    /// The accounts that the person chose, in the order that the bank has them.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.source.person.accounts().iter().filter(|account| {
            self.accounts
                .as_ref()
                .is_none_or(|chosen| chosen.contains(&account.key))
        })
    }

    /// Whether the Item knows nothing but what was typed in: there is no login behind it.
    pub(crate) fn is_manual(&self) -> bool {
        self.deposit
            .as_ref()
            .is_some_and(|deposit| deposit.method.is_manual())
    }

    /// Whether the Item can have this product.
    pub(crate) fn supports(&self, product: &str) -> bool {
        if self.is_manual() {
            MANUAL_PRODUCTS.contains(&product)
        } else {
            self.institution.supports(product)
        }
    }

    pub(super) fn deposit_of(&self, account: &Account) -> Option<&Deposit> {
        self.deposit.as_ref().filter(|deposit| deposit.is_of(account))
    }

    /// The accounts that were chosen, as in Link's callbacks.
    pub(crate) fn link_accounts(&self) -> Value {
        let reported = self.accounts().map(|account| {
            let deposit = self.deposit_of(account);
            account.link_json(
                &self.item_id,
                deposit.and_then(|deposit| deposit.status(Duration::ZERO)),
            )
        });
        reported.collect()
    }
}
