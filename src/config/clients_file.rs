//! `OAUTH_CLIENTS_FILE`: further clients, as `[[client]]` tables of a TOML file. All problems are reported at once,
//! each with its client and key; nothing that could be a secret or its hash is shown.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::client::ClientConfig;
use super::client_keys::{self, ClientRules};
use super::client_table::{ClientTable, Secrets};
use super::problem::{Problem, Problems};
use super::redact::redact;
use super::settings::OAUTH_CLIENTS_FILE;

/// A thousand clients need less; a greater file is not the one that was meant.
const MOST_BYTES: u64 = 1 << 20;

/// Reads the file.
pub(super) fn read(path: &Path, rules: &ClientRules<'_>) -> Result<Vec<ClientConfig>, Problems> {
    let refused = |expected: String| {
        let path = redact(&path.to_string_lossy(), rules.secrets.iter().copied());
        Problems::from(Problem::new(OAUTH_CLIENTS_FILE.name, expected).with(path))
    };
    let unreadable = |error: std::io::Error| {
        let kind = error.kind();
        refused(format!(
            "the file cannot be read ({kind}): give the path of a file that this user may read"
        ))
    };
    // A pipe would be waited for, and a directory is none.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refused("is no file: give the path of a TOML file".to_owned()));
    }
    if metadata.len() > MOST_BYTES {
        return Err(refused(
            "the file is larger than 1 MiB: is it the right one?".to_owned(),
        ));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
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
    let mut ids = BTreeSet::new();
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
                    if client.id == rules.first_id {
                        table.problem("id", "choose another: it is the id of the client of the settings (OAUTH_CLIENT_ID, by default PLAID_CLIENT_ID)");
                    } else if !client.id.is_empty() && !ids.insert(client.id.clone()) {
                        table.problem("id", "choose another: a client before it has the same id");
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
                &secrets.redact(other),
                "is no key here: write the keys of a client below its line [[client]]",
            )),
        }
    }
    // An editor that was caught in the middle leaves an empty file, which must not end all clients.
    if clients.is_empty() && problems.is_empty() {
        problems.push(Problem::new(
            OAUTH_CLIENTS_FILE.name,
            "the file has no client: write at least one [[client]] table, or unset the variable",
        ));
    }
    if problems.is_empty() {
        Ok(clients)
    } else {
        Err(problems)
    }
}

fn problem(place: &str, expected: &str) -> Problem {
    Problem::new(format!("{}, {place}", OAUTH_CLIENTS_FILE.name), expected)
}

/// The parser's own text quotes the line, which may hold a hash: only its reason and the line's number are shown.
fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().iter().take(start);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    problem(
        &format!("line {line}"),
        &format!("is not TOML ({})", error.message().escape_debug()),
    )
}
