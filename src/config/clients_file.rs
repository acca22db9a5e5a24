//! `OAUTH_CLIENTS_FILE`: further clients, as `[[client]]` tables of a TOML file. All problems are told at once, each
//! with its client and key; nothing that could be a secret or its hash is repeated.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};
use url::Url;

use super::client::ClientConfig;
use super::client_keys;
use super::client_table::ClientTable;
use super::problem::{Problem, Problems};
use super::products::ProductLists;
use super::shown;
use crate::secret::HASH_METHOD;

const VARIABLE: &str = "OAUTH_CLIENTS_FILE";
/// A thousand clients need less; a greater file is not the one that was meant.
const MOST_BYTES: u64 = 1 << 20;

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

/// Reads the file.
pub(super) fn read(path: &Path, rules: &ClientRules<'_>) -> Result<Vec<ClientConfig>, Problems> {
    let refused = |expected: String| {
        Problems(vec![Problem {
            variable: VARIABLE.to_owned(),
            found: Some(shown::shown(
                &path.to_string_lossy(),
                rules.secrets.iter().copied(),
            )),
            expected,
        }])
    };
    let told = |error: std::io::Error| {
        let kind = error.kind();
        refused(format!(
            "the file cannot be read ({kind}): give the path of a file that this user may read"
        ))
    };
    // A pipe would be waited for, and a directory is none.
    let metadata = std::fs::metadata(path).map_err(told)?;
    if !metadata.is_file() {
        return Err(refused("is no file: give the path of a TOML file".to_owned()));
    }
    if metadata.len() > MOST_BYTES {
        return Err(refused(
            "the file is larger than 1 MiB: is it the right one?".to_owned(),
        ));
    }
    let bytes = std::fs::read(path).map_err(told)?;
    let text =
        String::from_utf8(bytes).map_err(|_| refused("the file is not text: save it as UTF-8".to_owned()))?;
    parse(&text, rules).map_err(Problems)
}

/// Reads the file's text.
pub(super) fn parse(text: &str, rules: &ClientRules<'_>) -> Result<Vec<ClientConfig>, Vec<Problem>> {
    let document: Table = text.parse().map_err(|error| vec![syntax(text, &error)])?;
    let secrets = Secrets::of(&document, rules.secrets);
    let mut problems = Vec::new();
    let mut clients = Vec::new();
    let mut ids = BTreeSet::from([rules.first_id.to_owned()]);
    for (key, value) in document {
        match (key.as_str(), value) {
            ("client", Value::Array(entries)) => {
                for (index, entry) in entries.into_iter().enumerate() {
                    let Value::Table(table) = entry else {
                        problems.push(problem(
                            &format!("client {}", index + 1),
                            "write it as a [[client]] table",
                        ));
                        continue;
                    };
                    let mut table = ClientTable::new(index + 1, table, &secrets);
                    let client = client_keys::read(&mut table, rules);
                    if !client.id.is_empty() && !ids.insert(client.id.clone()) {
                        table.duplicate(client.id == rules.first_id);
                    }
                    problems.extend(table.into_problems());
                    clients.push(client);
                }
            }
            ("client", Value::Table(_)) => problems.push(problem(
                "client",
                "write [[client]] with two brackets before each client",
            )),
            ("client", _) => problems.push(problem("client", "write [[client]] tables")),
            (other, _) => problems.push(problem(
                &secrets.shown(other),
                "is no key here: all that is said of a client stands below its line [[client]]",
            )),
        }
    }
    // An editor that was caught in the middle leaves an empty file, which must not end all clients.
    if clients.is_empty() && problems.is_empty() {
        problems.push(Problem {
            variable: VARIABLE.to_owned(),
            found: None,
            expected: "the file has no client: write at least one [[client]] table, or unset the variable"
                .to_owned(),
        });
    }
    if problems.is_empty() {
        Ok(clients)
    } else {
        Err(problems)
    }
}

fn problem(place: &str, expected: &str) -> Problem {
    Problem {
        variable: format!("{VARIABLE}, {place}"),
        found: None,
        expected: expected.to_owned(),
    }
}

/// The parser's own text quotes the line, which may hold a hash: only its reason and the line's number are told.
fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().iter().take(start);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    problem(
        &format!("line {line}"),
        &format!("is not TOML ({})", error.message().escape_debug()),
    )
}

/// What must not be repeated in a problem, wherever in the file it was pasted.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    fn of(document: &Table, of_the_settings: &[&str]) -> Self {
        let mut secrets = vec![HASH_METHOD.to_owned()];
        secrets.extend(of_the_settings.iter().map(|&secret| secret.to_owned()));
        gather(document, &mut secrets);
        Self(secrets)
    }

    /// The text made fit to be told.
    pub(super) fn shown(&self, text: &str) -> String {
        shown::shown(text, self.0.iter().map(String::as_str))
    }
}

/// Values of keys that speak of secrets, at any depth that the parser allows.
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
