//! The keys of a client in the clients file, one by one.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::client::{ClientConfig, ClientKind, EXPIRES_IN, RedirectUris, credential_error};
use super::client_table::ClientTable;
use super::products::ProductLists;
use super::redirect_uri::redirect_uri_of;
use crate::secret::{SecretHash, StoredSecret};

/// What fits on a button.
const NAME_CHARS: usize = 60;
/// Less is hardly meant, and more than ten years is none.
const REFRESH_LIFETIME: RangeInclusive<u64> = 60..=315_360_000;

/// What the clients of the file must fit to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientRules<'a> {
    /// The id of the client of the settings.
    pub(super) first_id: &'a str,
    /// The configured products.
    pub(super) products: &'a ProductLists,
    /// `PUBLIC_URL` when it was given.
    pub(super) public_url: Option<&'a Url>,
    /// The secrets of the settings, which may have been pasted into the file.
    pub(super) secrets: &'a [&'a str],
}

/// Reads the whole table. Where a problem was found, the client is a placeholder that is not used.
pub(super) fn read(table: &mut ClientTable<'_>, rules: &ClientRules<'_>) -> ClientConfig {
    let id = read_id(table);
    let name = read_name(table);
    let kind = read_kind(table);
    let is_public = matches!(kind, Some(ClientKind::Public));
    let uris = read_redirect_uris(table, rules, kind.as_ref().unwrap_or(&ClientKind::Public));
    let products = read_products(table, rules);
    let raw_public_tokens = table.switch("raw_public_tokens").unwrap_or(false);
    if raw_public_tokens && is_public {
        table.problem(
            "raw_public_tokens",
            "remove it: only a client with a secret may bring Plaid's public tokens",
        );
    }
    let send_iss = table.switch("send_iss").unwrap_or(true);
    let refresh_lifetime = read_seconds(table, "refresh_lifetime", REFRESH_LIFETIME).map(Duration::from_secs);
    let expires_in = read_seconds(table, "expires_in", EXPIRES_IN);
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
        expires_in,
    }
}

fn read_id(table: &mut ClientTable<'_>) -> String {
    if !table.has("id") {
        table.problem("id", "is missing: write the client_id that the client sends");
        return String::new();
    }
    let Some(id) = table.text("id") else {
        return String::new();
    };
    if id.is_empty() {
        table.problem("id", "write the client_id that the client sends");
    } else if let Some(error) = credential_error(&id) {
        table.problem("id", &error);
    }
    id
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
    let (hash_is_given, public_is_given) = (table.has("secret_hash"), table.has("public"));
    let (hash, public) = (table.text("secret_hash"), table.switch("public"));
    let (key, expected) = match (hash_is_given, public) {
        (false, Some(true)) => return Some(ClientKind::Public),
        (true, Some(true)) => (
            "public",
            "write either secret_hash or public = true, not both: a public client has no secret",
        ),
        (true, _) => match SecretHash::parse(&hash?) {
            Some(hash) => return Some(ClientKind::Confidential(StoredSecret::Hashed(hash))),
            None => (
                "secret_hash",
                "is not a hash: paste the whole line that plaid-token-broker keys hash-client-secret prints",
            ),
        },
        (false, None) if public_is_given => return None,
        (false, _) => (
            "secret_hash",
            "is missing: make one with plaid-token-broker keys hash-client-secret, or write public = true for an app \
             that cannot keep a secret",
        ),
    };
    table.problem(key, expected);
    None
}

fn read_redirect_uris(
    table: &mut ClientTable<'_>,
    rules: &ClientRules<'_>,
    kind: &ClientKind,
) -> Vec<String> {
    const KEY: &str = "redirect_uris";
    if !table.has(KEY) {
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
        let expected = match redirect_uri_of(kind, &uri) {
            Err(expected) => expected,
            Ok(url) if rules.public_url.is_some_and(|own| own.origin() == url.origin()) => {
                "that is an address of the broker itself; write the client's own callback URL".to_owned()
            }
            Ok(_) if uris.contains(&uri) => "remove the duplicate".to_owned(),
            Ok(_) => {
                uris.push(uri);
                continue;
            }
        };
        table.problem_with(KEY, &uri, &expected);
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

/// A whole number of seconds within these bounds.
fn read_seconds(table: &mut ClientTable<'_>, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
    let (least, most) = (bounds.start(), bounds.end());
    let expected = format!("write a whole number of seconds from {least} to {most}, without quotes");
    let seconds = table.take(key, &expected)?;
    if !bounds.contains(&seconds) {
        table.problem(key, &expected);
        return None;
    }
    Some(seconds)
}
