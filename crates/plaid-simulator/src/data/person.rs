//! Who is behind an Item: one of Plaid's test users, or one that the caller made up.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::custom::{self, Custom, Override};
use super::custom_liability::Liability;
use super::personas::{self, Persona};
use super::{Account, accounts};
use crate::spec::guesses::CustomSeed;
use crate::spec::{Guesses, ids};

/// A test user, small enough to be kept with every Item.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Words", into = "Words")]
pub(crate) struct Person {
    persona: &'static Persona,
    custom: Option<Arc<Custom>>,
    /// What `custom` was read from, for snapshots.
    text: Option<Arc<str>>,
}

/// A person in a snapshot: what they logged in with, as far as their data depends on it.
#[derive(Deserialize, Serialize)]
struct Words {
    username: String,
    configuration: Option<String>,
}

impl From<Words> for Person {
    fn from(words: Words) -> Self {
        match words.configuration {
            Some(text) => Self::custom_of(&text),
            None => Self::known(&words.username),
        }
    }
}

impl From<Person> for Words {
    fn from(person: Person) -> Self {
        Self {
            username: person.persona.username.to_owned(),
            configuration: person.text.map(|text| text.to_string()),
        }
    }
}

impl Default for Person {
    fn default() -> Self {
        Self {
            persona: &personas::STANDARD,
            custom: None,
            text: None,
        }
    }
}

/// The same person, whatever the Item: the same test user, or the same configuration.
impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        self.persona.username == other.persona.username && self.text == other.text
    }
}

/// Whether this test user takes any password
/// (<https://plaid.com/docs/sandbox/test-credentials/#credit-and-income-test-credentials>).
pub(crate) fn takes_any_password(username: &str) -> bool {
    personas::by_username(username).is_some()
}

impl Person {
    /// The person who logs in with these credentials, which were checked before.
    pub(crate) fn of(username: &str, password: &str, guesses: &Guesses) -> Self {
        if username != "user_custom" {
            return Self::known(username);
        }
        match guesses.custom_seed {
            CustomSeed::ByText => Self::custom_of(password),
            CustomSeed::Fresh => Self::custom_of(&custom::with_seed(password, &ids::new_uuid())),
        }
    }

    fn custom_of(text: &str) -> Self {
        Self {
            persona: &personas::STANDARD,
            custom: Custom::parse(text).map(Arc::new),
            text: Some(text.into()),
        }
    }

    /// Of whom nothing is known but the name, the kind and the last digits of one account.
    pub(crate) fn with_account(name: &str, subtype: &str, mask: &str) -> Self {
        let account = json!({
            "type": "depository",
            "subtype": subtype,
            "starting_balance": 0,
            "has_null_available_balance": true,
            "meta": {"name": name, "mask": mask},
        });
        Self::custom_of(&json!({"override_accounts": [account]}).to_string())
    }

    fn known(username: &str) -> Self {
        Self {
            persona: personas::by_username(username).unwrap_or(&personas::STANDARD),
            custom: None,
            text: None,
        }
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        match &self.custom {
            Some(custom) => custom.accounts().unwrap_or(&accounts::ALL),
            None => (self.persona.accounts)(),
        }
    }

    pub(super) fn persona(&self) -> &'static Persona {
        self.persona
    }

    /// What the caller made up.
    pub(crate) fn custom(&self) -> Option<&Custom> {
        self.custom.as_deref()
    }

    /// What the caller made up of this account.
    pub(super) fn override_of(&self, account: &Account) -> Option<&Override> {
        self.custom()?.override_of(account)
    }

    /// What a custom user wants of a debt.
    pub(super) fn liability_of(&self, account: &Account) -> &Liability {
        self.override_of(account)
            .and_then(|own| own.liability.as_ref())
            .unwrap_or_else(|| Liability::usual())
    }

    /// What parts this person's chance from that of others.
    pub(super) fn seed(&self) -> &str {
        self.custom
            .as_ref()
            .map_or(self.persona.username, |custom| &*custom.seed)
    }

    /// Whether data changes every hour and not once a day.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.persona.dynamic
    }
}
