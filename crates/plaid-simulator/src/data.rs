//! People's money: who owns what, made on demand from a seed and a day, so nothing of it has to be kept.
//!
//! The same seed, user and bank always have the same accounts and movements; what depends on the Item are identifiers,
//! and balances and loans, which begin with it as published. `household` says what the accounts allow, `day` and
//! `shopping` make movements of it, and `settlement` keeps them together. Amounts are [`money::Money`], days are counted from 1970-01-01 ([`calendar`]).

pub(crate) mod accounts;
pub(crate) mod asset_report;
pub(crate) mod asset_summary;
pub(crate) mod balance;
pub(crate) mod calendar;
mod card;
pub(crate) mod custom;
pub(crate) mod custom_liability;
mod day;
pub(crate) mod deposits;
pub(crate) mod holdings;
mod household;
pub(crate) mod identity;
pub(crate) mod investment_transactions;
pub(crate) mod liabilities;
mod loan;
mod merchants;
pub(crate) mod mfa;
pub(crate) mod money;
pub(crate) mod movement;
pub(crate) mod numbers;
pub(crate) mod pdf;
pub(crate) mod person;
mod personas;
mod rng;
mod securities;
mod shopping;
pub(crate) mod statements;
pub(crate) mod sync;
pub(crate) mod test_users;
pub(crate) mod transaction;

pub(crate) use self::accounts::Account;
pub(crate) use self::money::Money;
pub(crate) use self::movement::History;
pub(crate) use self::person::Person;
use jiff::civil::Date;

use self::calendar::Day;
use crate::spec::Institution;
use crate::spec::ids::persistent_id;

/// What an Item's data is made of, as far as Link or the Sandbox call decided it.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
pub(crate) struct Source {
    pub(crate) person: Person,
    /// Days of transactions before the Item began; Plaid's default is 90.
    pub(crate) days_requested: Option<u16>,
    /// The first and the last day of transactions that the Sandbox was asked for, if it was.
    #[serde(default)]
    pub(crate) transactions: (Option<Day>, Option<Day>),
    /// The months for which statements were asked.
    #[serde(with = "calendar::as_days")]
    pub(crate) statements: Option<(Date, Date)>,
}

impl Source {
    /// `persistent_account_id`: the same for every Item of this login.
    pub(crate) fn persistent_account_id(
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

/// Whether an account can have data of this product.
pub(crate) fn fits(product: &str, account: &Account) -> bool {
    match product {
        "auth" | "transfer" | "signal" => account.has_numbers(),
        "liabilities" => liabilities::kind_of(account).is_some(),
        "investments" | "investments_auth" => account.kind == "investment",
        "statements" => statements::has_statements(account),
        _ => true,
    }
}

#[cfg(test)]
mod believable;
