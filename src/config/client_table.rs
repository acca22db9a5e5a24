//! One `[[client]]` table of the clients file: values are taken out of it by type, and what is wrong is gathered.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::nearest::nearest;
use super::problem::Problem;
use super::redact::redact;
use super::settings::OAUTH_CLIENTS_FILE;
use crate::secret::HASH_METHOD;

/// `docs/clients.md` explains each.
pub(super) const KEYS: [&str; 10] = [
    "id",
    "name",
    "secret_hash",
    "public",
    "redirect_uris",
    "products",
    "raw_public_tokens",
    "send_iss",
    "refresh_lifetime",
    "expires_in",
];

/// A table whose keys are taken out one by one, and what was found wrong with them.
pub(super) struct ClientTable<'a> {
    /// What problems call the client: its place in the file, and its id when it has one.
    label: String,
    table: Table,
    secrets: &'a Secrets,
    problems: Vec<Problem>,
}

impl<'a> ClientTable<'a> {
    /// The table at this place of the file, counted from 1.
    pub(super) fn new(number: usize, table: Table, secrets: &'a Secrets) -> Self {
        let label = match table.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => format!("client {number} ({})", secrets.redact(id)),
            _ => format!("client {number}"),
        };
        Self {
            label,
            table,
            secrets,
            problems: Vec::new(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Whether the key is there and was not taken yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// What is wrong with a key, or what to do.
    pub(super) fn problem(&mut self, key: &str, expected: &str) {
        self.problems.push(self.new_problem(key, expected));
    }

    fn new_problem(&self, key: &str, expected: &str) -> Problem {
        Problem::new(
            format!("{}, {}, {key}", OAUTH_CLIENTS_FILE.name, self.label),
            expected,
        )
    }

    /// The same, with a part of the value that is no secret.
    pub(super) fn problem_with(&mut self, key: &str, part: &str, expected: &str) {
        let found = self.secrets.redact(part);
        self.problems.push(self.new_problem(key, expected).with(found));
    }

    /// The key's value; of another type, it is a problem.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let value = self.table.remove(key)?.try_into().ok();
        if value.is_none() {
            self.problem(key, expected);
        }
        value
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key, "write a text in quotes")
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.take(key, "write a list of texts in quotes, [\"…\", \"…\"]")
    }

    pub(super) fn switch(&mut self, key: &'static str) -> Option<bool> {
        self.take(key, "write true or false, without quotes")
    }

    /// What is left is unknown.
    pub(super) fn refuse_the_rest(&mut self) {
        let rest: Vec<String> = self.table.keys().cloned().collect();
        for key in rest {
            if matches!(key.as_str(), "secret" | "client_secret") {
                self.problem(
                    &key,
                    "remove it: the file holds the hash alone, as secret_hash (plaid-token-broker keys \
                     hash-client-secret makes one)",
                );
                continue;
            }
            let expected = match nearest(&key, KEYS) {
                Some(nearest) => format!("is no key of a client; did you mean {nearest}?"),
                None => format!("is no key of a client; there are {}", KEYS.join(", ")),
            };
            let key = self.secrets.redact(&key);
            self.problem(&key, &expected);
        }
    }
}

/// What no problem may show, wherever in the file it was pasted.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(document: &Table, of_the_settings: &[&str]) -> Self {
        let mut secrets = vec![HASH_METHOD.to_owned()];
        secrets.extend(of_the_settings.iter().map(|&secret| secret.to_owned()));
        gather(document, &mut secrets);
        Self(secrets)
    }

    /// The text made fit for a message.
    pub(super) fn redact(&self, text: &str) -> String {
        redact(text, self.0.iter().map(String::as_str))
    }
}

/// Values of keys with `secret` in their name, at any depth that the parser allows.
fn gather(table: &Table, secrets: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::String(text) if key.to_ascii_lowercase().contains("secret") => secrets.push(text.clone()),
            Value::Table(table) => gather(table, secrets),
            Value::Array(entries) => {
                for table in entries.iter().filter_map(Value::as_table) {
                    gather(table, secrets);
                }
            }
            _ => {}
        }
    }
}
