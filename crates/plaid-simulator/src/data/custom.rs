//! `user_custom`: data that the caller writes as JSON into the password
//! (<https://plaid.com/docs/sandbox/user-custom/>).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::accounts::CUSTOM_KEYS;
use super::calendar::Day;
use super::custom_liability::Liability;
use super::mfa::Mfa;
use super::rng::Rng;
use super::{Account, Money};
use crate::spec::subtypes;

/// Plaid refuses longer configurations, and ones with more transactions or more accounts than there are keys.
const LONGEST: usize = 55_000;
const MOST_TRANSACTIONS: usize = 250;
/// The types of accounts, with the subtypes of each.
const KINDS: [(&str, &[&str]); 6] = [
    ("depository", subtypes::DEPOSITORY),
    ("credit", subtypes::CREDIT),
    ("loan", subtypes::LOAN),
    ("investment", subtypes::INVESTMENT),
    ("brokerage", subtypes::INVESTMENT),
    ("other", subtypes::OTHER),
];

/// A configuration that was found good.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(super) seed: String,
    pub(super) force_error: Option<String>,
    pub(super) fails_recaptcha: bool,
    pub(super) mfa: Option<Mfa>,
    accounts: Vec<Account>,
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    version: Option<Value>,
    seed: Option<String>,
    force_error: Option<String>,
    mfa: Option<MfaOverride>,
    recaptcha: Option<String>,
    #[serde(default)]
    override_accounts: Vec<Override>,
}

/// What the bank asks beside the password.
#[derive(Deserialize)]
struct MfaOverride {
    #[serde(rename = "type")]
    kind: String,
    question_rounds: Option<usize>,
    questions_per_round: Option<usize>,
    selection_rounds: Option<usize>,
    selections_per_question: Option<usize>,
}

impl MfaOverride {
    /// What is asked, as the passwords of `user_good` ask it; `None` when this says nothing that is known.
    fn mfa(&self) -> Option<Mfa> {
        match &*self.kind {
            "device" => Some(Mfa::Device),
            "questions" => Mfa::questions(
                self.question_rounds.unwrap_or(1),
                self.questions_per_round.unwrap_or(1),
            ),
            "selections" => Mfa::selections(
                self.selection_rounds.unwrap_or(1),
                1,
                self.selections_per_question.unwrap_or(2),
            ),
            _ => None,
        }
    }
}

/// One entry of `override_accounts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Override {
    #[serde(rename = "type")]
    kind: String,
    subtype: String,
    starting_balance: Option<Money>,
    force_available_balance: Option<Money>,
    #[serde(default)]
    has_null_available_balance: bool,
    currency: Option<String>,
    #[serde(default)]
    meta: Meta,
    pub(super) numbers: Option<Numbers>,
    pub(super) transactions: Option<Vec<Transaction>>,
    pub(super) holdings: Option<Vec<Holding>>,
    pub(super) investment_transactions: Option<Vec<InvestmentTransaction>>,
    pub(super) identity: Option<Identity>,
    pub(super) liability: Option<Liability>,
    pub(super) inflow_model: Option<InflowModel>,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    name: Option<String>,
    official_name: Option<String>,
    limit: Option<Money>,
    mask: Option<String>,
}

/// What `/auth/get` returns for the account.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Numbers {
    pub(super) account: Option<String>,
    pub(super) ach_routing: Option<String>,
    pub(super) ach_wire_routing: Option<String>,
    pub(super) eft_institution: Option<String>,
    pub(super) eft_branch: Option<String>,
    pub(super) international_bic: Option<String>,
    pub(super) international_iban: Option<String>,
    pub(super) bacs_sort_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transaction {
    pub(super) date_transacted: Day,
    pub(super) date_posted: Day,
    pub(super) amount: Money,
    pub(super) description: String,
    pub(super) currency: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Holding {
    pub(super) institution_price: Money,
    pub(super) institution_price_as_of: Option<Day>,
    pub(super) cost_basis: Option<Money>,
    pub(super) quantity: Money,
    pub(super) currency: Option<String>,
    pub(super) security: Security,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Security {
    pub(super) ticker_symbol: Option<String>,
    pub(super) currency: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvestmentTransaction {
    pub(super) date: Day,
    pub(super) name: String,
    pub(super) quantity: Money,
    pub(super) price: Money,
    pub(super) fees: Option<Money>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) security: Option<Security>,
}

/// Plaid's own shapes: they are returned as given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    pub(super) names: Vec<String>,
    pub(super) phone_numbers: Vec<Value>,
    pub(super) emails: Vec<Value>,
    pub(super) addresses: Vec<Value>,
}

/// Regular income.
#[derive(Debug, Deserialize)]
pub(super) struct InflowModel {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) income_amount: Option<Money>,
    pub(super) payment_day_of_month: Option<i8>,
    pub(super) transaction_name: Option<String>,
}

/// The configuration with this seed, unless it has one of its own.
pub(super) fn with_seed(text: &str, seed: &str) -> String {
    let mut configuration: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    configuration.entry("seed").or_insert_with(|| seed.into());
    Value::Object(configuration).to_string()
}

impl Custom {
    /// The configuration in this text; `None` when it is not one, or too large.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let configuration: Configuration = serde_json::from_str(text).ok()?;
        let overrides = configuration.override_accounts;
        let version = configuration.version.map(|version| version.to_string());
        let versioned = version.is_none_or(|version| matches!(version.trim_matches('"'), "1" | "2"));
        let transactions = overrides.iter().filter_map(|wanted| wanted.transactions.as_ref());
        let listed: usize = transactions.map(Vec::len).sum();
        if !versioned || overrides.len() > CUSTOM_KEYS.len() || listed > MOST_TRANSACTIONS {
            return None;
        }
        let fails_recaptcha = match configuration.recaptcha.as_deref() {
            Some("bad") => true,
            None | Some("good") => false,
            Some(_) => return None,
        };
        let mfa = match configuration.mfa {
            Some(mfa) => Some(mfa.mfa()?),
            None => None,
        };
        let accounts = CUSTOM_KEYS
            .iter()
            .zip(&overrides)
            .map(|(key, wanted)| wanted.account(key))
            .collect::<Option<_>>()?;
        Some(Self {
            // Without a seed Plaid's data is new each time; here it is new for each configuration.
            seed: configuration
                .seed
                .unwrap_or_else(|| Rng::new(&["custom", text], 0).roll().to_string()),
            force_error: configuration.force_error,
            fails_recaptcha,
            mfa,
            accounts,
            overrides,
        })
    }

    /// The accounts, unless the standard ones were left in place.
    pub(super) fn accounts(&self) -> Option<&[Account]> {
        (!self.accounts.is_empty()).then_some(&*self.accounts)
    }

    /// What was asked of this account.
    pub(super) fn override_of(&self, account: &Account) -> Option<&Override> {
        let at = self.accounts.iter().position(|mine| mine.key == account.key)?;
        self.overrides.get(at)
    }
}

impl Override {
    fn account(&self, key: &'static str) -> Option<Account> {
        let (kind, _) = KINDS
            .iter()
            .find(|(kind, names)| *kind == self.kind && names.contains(&&*self.subtype))
            .filter(|_| self.subtype != subtypes::ALL)?;
        let kind = *kind;
        let mask = self.meta.mask.clone().filter(|mask| !mask.is_empty());
        let masked = mask.as_ref().is_none_or(|mask| {
            (2..=4).contains(&mask.len()) && mask.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let current = self.starting_balance.unwrap_or(Money::whole(1_000));
        let usual = (kind == "depository").then_some(current);
        masked.then(|| Account {
            key,
            mask: mask.map(Cow::Owned),
            name: Cow::Owned(
                self.meta
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("Plaid {}", self.subtype)),
            ),
            official_name: self.meta.official_name.clone().map(Cow::Owned),
            kind,
            subtype: Cow::Owned(self.subtype.clone()),
            available: if self.has_null_available_balance {
                None
            } else {
                self.force_available_balance.or(usual)
            },
            current,
            limit: self.meta.limit,
            currency: self.currency.clone().map_or(Cow::Borrowed("USD"), Cow::Owned),
            holder_category: "personal",
        })
    }
}
