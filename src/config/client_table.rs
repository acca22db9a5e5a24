//! One `[[client]]` table of the clients file, key by key.

use std::time::Duration;

use toml::{Table, Value};

use super::client::{ClientConfig, ClientKind, RedirectUris};
use super::clients_file::{ClientRules, Secrets};
use super::nearest::nearest;
use super::oauth::{credential_error, redirect_uri};
use super::problem::Problem;
use crate::secret::{SecretHash, StoredSecret};

const KEYS: [&str; 9] = [
    "id",
    "name",
    "secret_hash",
    "public",
    "redirect_uris",
    "products",
    "raw_public_tokens",
    "send_iss",
    "refresh_lifetime",
];
/// What fits on a button.
const NAME_CHARS: usize = 60;
/// Less is hardly meant, and more than ten years is none.
const REFRESH_LIFETIME: std::ops::RangeInclusive<i64> = 60..=315_360_000;

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
            Some(id) if !id.is_empty() => format!("client {number} ({})", secrets.shown(id)),
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

    /// The id is taken.
    pub(super) fn duplicate(&mut self, by_the_first: bool) {
        let expected = if by_the_first {
            "choose another: it is the id of the client of the settings (OAUTH_CLIENT_ID, by default PLAID_CLIENT_ID)"
        } else {
            "choose another: a client before it has the same id"
        };
        self.problem("id", expected);
    }

    fn problem(&mut self, key: &str, expected: &str) {
        self.push(key, None, expected);
    }

    fn problem_with(&mut self, key: &str, part: &str, expected: &str) {
        let found = self.secrets.shown(part);
        self.push(key, Some(found), expected);
    }

    fn push(&mut self, key: &str, found: Option<String>, expected: &str) {
        self.problems.push(Problem {
            variable: format!("OAUTH_CLIENTS_FILE, {}, {key}", self.label),
            found,
            expected: expected.to_owned(),
        });
    }

    /// The key's value as `as_type` reads it; of another type, it is a problem.
    fn take<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        as_type: impl FnOnce(Value) -> Option<T>,
    ) -> Option<T> {
        let value = as_type(self.table.remove(key)?);
        if value.is_none() {
            self.problem(key, expected);
        }
        value
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key, "write a text in quotes", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let expected = "write a list of texts in quotes, [\"…\", \"…\"]";
        self.take(key, expected, |value| match value {
            Value::Array(entries) => entries
                .into_iter()
                .map(|entry| match entry {
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    fn switch(&mut self, key: &'static str) -> Option<bool> {
        self.take(key, "write true or false, without quotes", |value| {
            value.as_bool()
        })
    }

    /// What is left is unknown.
    fn refuse_the_rest(&mut self) {
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
            let nearest = nearest(&key, KEYS).unwrap_or_default();
            let expected = format!("is no key of a client; did you mean {nearest}?");
            let key = self.secrets.shown(&key);
            self.problem(&key, &expected);
        }
    }
}

/// Reads the whole table. Where a problem was told, the client is a stand-in that nobody gets to see.
pub(super) fn read(table: &mut ClientTable<'_>, rules: &ClientRules<'_>) -> ClientConfig {
    let id = read_id(table);
    let name = read_name(table);
    let kind = read_kind(table);
    let is_public = matches!(kind, Some(ClientKind::Public));
    let uris = read_redirect_uris(table, rules);
    let products = read_products(table, rules);
    let raw_public_tokens = table.switch("raw_public_tokens").unwrap_or(false);
    if raw_public_tokens && is_public {
        table.problem(
            "raw_public_tokens",
            "remove it: only a client with a secret may bring Plaid's public tokens",
        );
    }
    let send_iss = table.switch("send_iss").unwrap_or(true);
    let refresh_lifetime = read_refresh_lifetime(table);
    table.refuse_the_rest();
    ClientConfig {
        id,
        name,
        kind: kind.unwrap_or(ClientKind::Public),
        redirect_uris: if is_public {
            RedirectUris::Native(uris)
        } else {
            RedirectUris::Listed(uris)
        },
        products,
        raw_public_tokens,
        send_iss,
        refresh_lifetime,
    }
}

fn read_id(table: &mut ClientTable<'_>) -> String {
    if !table.table.contains_key("id") {
        table.problem("id", "is missing: write the client_id that the client sends");
    }
    let id = table.text("id");
    match &id {
        Some(id) if id.is_empty() => table.problem("id", "write the client_id that the client sends"),
        Some(id) => {
            if let Some(error) = credential_error(id) {
                table.problem("id", &error);
            }
        }
        None => {}
    }
    id.unwrap_or_default()
}

fn read_name(table: &mut ClientTable<'_>) -> Option<String> {
    let name = table.text("name")?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        table.problem(
            "name",
            "write the name that people know the client by, on one line",
        );
    }
    if name.chars().count() > NAME_CHARS {
        table.problem("name", &format!("make it {NAME_CHARS} characters or shorter"));
    }
    Some(name)
}

fn read_kind(table: &mut ClientTable<'_>) -> Option<ClientKind> {
    let is_given = |key| table.table.contains_key(key);
    let (hash_is_given, public_is_given) = (is_given("secret_hash"), is_given("public"));
    let hash = table.text("secret_hash");
    let public = table.switch("public");
    match (hash_is_given, public) {
        (true, Some(true)) => {
            table.problem(
                "public",
                "write either secret_hash or public = true, not both: a public client has no secret",
            );
            None
        }
        (false, Some(true)) => Some(ClientKind::Public),
        (true, _) => {
            let hash = SecretHash::parse(&hash?);
            if hash.is_none() {
                table.problem(
                    "secret_hash",
                    "is not a hash: paste the whole line that plaid-token-broker keys hash-client-secret prints",
                );
            }
            hash.map(|hash| ClientKind::Confidential(StoredSecret::Hashed(hash)))
        }
        (false, None) if public_is_given => None,
        (false, _) => {
            table.problem(
                "secret_hash",
                "is missing: make one with plaid-token-broker keys hash-client-secret, or write public = true for an \
                 app that cannot keep a secret",
            );
            None
        }
    }
}

fn read_redirect_uris(table: &mut ClientTable<'_>, rules: &ClientRules<'_>) -> Vec<String> {
    const KEY: &str = "redirect_uris";
    if !table.table.contains_key(KEY) {
        table.problem(KEY, "is missing: write the client's callback URLs as a list");
    }
    let Some(given) = table.texts(KEY) else {
        return Vec::new();
    };
    if given.is_empty() {
        table.problem(KEY, "write at least one callback URL");
    }
    let mut uris: Vec<String> = Vec::new();
    for uri in given {
        match redirect_uri(&uri) {
            Err(expected) => table.problem_with(KEY, &uri, &expected),
            Ok(url) if rules.public_url.is_some_and(|own| own.origin() == url.origin()) => table
                .problem_with(
                    KEY,
                    &uri,
                    "that is an address of the broker itself; write the client's own callback URL",
                ),
            Ok(_) if uris.contains(&uri) => table.problem_with(KEY, &uri, "remove the duplicate"),
            Ok(_) => uris.push(uri),
        }
    }
    uris
}

fn read_products(table: &mut ClientTable<'_>, rules: &ClientRules<'_>) -> Option<Vec<String>> {
    const KEY: &str = "products";
    let given = table.texts(KEY)?;
    if given.is_empty() {
        table.problem(
            KEY,
            "name at least one product, or leave it out for all that are configured",
        );
    }
    let mut products: Vec<String> = Vec::new();
    for product in given {
        let product = product.to_ascii_lowercase();
        if products.contains(&product) {
            table.problem_with(KEY, &product, "remove the duplicate");
        } else if rules.products.contains(&product) {
            products.push(product);
        } else {
            table.problem_with(
                KEY,
                &product,
                "is not configured: add it to PLAID_PRODUCTS or to one of its three sister lists first",
            );
        }
    }
    Some(products)
}

fn read_refresh_lifetime(table: &mut ClientTable<'_>) -> Option<Duration> {
    let (least, most) = (REFRESH_LIFETIME.start(), REFRESH_LIFETIME.end());
    let expected = format!("write a whole number of seconds from {least} to {most}, without quotes");
    let seconds = table.take("refresh_lifetime", &expected, |value| {
        value
            .as_integer()
            .filter(|seconds| REFRESH_LIFETIME.contains(seconds))
    })?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
