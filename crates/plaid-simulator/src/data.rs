//! People's money: who owns what, made on demand from a seed and a day, so nothing of it has to be kept.
//!
//! The same seed, user and bank always have the same accounts and movements; what depends on the Item are identifiers,
//! and balances and loans, which begin with it as published. `household` says what the accounts allow, `day` and
//! `shopping` make movements of it, and `settlement` keeps them together. Amounts are [`money::Money`], days are counted from 1970-01-01 ([`calendar`]).

pub(super) mod asset_report;
pub(super) mod asset_summary;
pub(super) mod balance;
pub(super) mod calendar;
mod card;
pub(super) mod custom;
pub(super) mod custom_liability;
mod day;
mod dice;
pub(super) mod holdings;
mod household;
pub(super) mod identity;
pub(super) mod investment_transactions;
pub(super) mod liabilities;
mod loan;
mod merchants;
pub(super) mod money;
pub(super) mod movement;
pub(super) mod numbers;
pub(super) mod pdf;
pub(super) mod person;
mod personas;
mod securities;
mod settlement;
mod shopping;
pub(super) mod statements;
pub(super) mod sync;
pub(super) mod transaction;

use jiff::civil::Date;

use self::calendar::Day;
use self::person::Person;
use super::accounts::Account;
use super::ids::persistent_id;
use super::institutions::Institution;

/// What an Item's data is made of, as far as Link or the Sandbox call decided it.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
pub(super) struct Source {
    pub(super) person: Person,
    /// Days of transactions before the Item began; Plaid's default is 90.
    pub(super) days_requested: Option<u16>,
    /// The first and the last day of transactions that the Sandbox was asked for, if it was.
    #[serde(default)]
    pub(super) transactions: (Option<Day>, Option<Day>),
    /// The months for which statements were asked.
    #[serde(with = "calendar::as_days")]
    pub(super) statements: Option<(Date, Date)>,
}

impl Source {
    /// `persistent_account_id`: the same for every Item of this login.
    pub(super) fn persistent_account_id(
        &self,
        institution: &Institution,
        login: Option<&str>,
        account: &Account,
    ) -> String {
        persistent_id(&[
            self.person.seed(),
            institution.id,
            login.unwrap_or_default(),
            account.key,
        ])
    }
}

#[cfg(test)]
mod believable;
