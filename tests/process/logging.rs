//! docs/logging.md is true: every field of a real run and of the source stands in it with its type, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plaid_token_broker::simulator;
use serde_json::{Value, json};

use crate::flow::{Broker, Plaid, Tab, code_of};
use crate::harness::directory;
use crate::web::{encode, get, send};

const DOCUMENT: &str = include_str!("../../docs/logging.md");
const OURS: &str = "plaid_token_broker";

/// Name and type of the table below this heading.
fn documented(heading: &str) -> BTreeMap<String, String> {
    let (_, section) = DOCUMENT.split_once(&format!("## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        assert!(!cells[3].is_empty(), "{name} has no meaning");
        (name, cells[2].to_owned())
    })
    .collect()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "true or false",
        _ => "(none)",
    }
}

/// A broker's log as JSON, after good and bad days.
fn log_of_a_real_run() -> Vec<Value> {
    let home = directory();
    let plaid = Plaid::start(&home);
    let start = plaid
        .broker(&home)
        .set("BROKER_LOG", "json")
        .set("RUST_LOG", "info,plaid_token_broker=debug,plaid_simulator=debug");
    let mut broker = Broker::of(start);
    let tokens = broker.tokens(&plaid.url);
    let refresh = tokens.text("refresh_token");
    broker.must_refresh(&refresh, &tokens.text("access_token"));

    let tab = broker.open("state=s").unwrap();
    let call = |tab: &Tab, path: &str, body: &Value| broker.call(tab, path, body).unwrap().reply().unwrap();
    assert_eq!(broker.start_link(&tab).unwrap().status, 200);
    plaid.fault(
        "/link/token/create",
        &json!({ "kind": "error", "status": 400,
        "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS" }),
    );
    assert_eq!(call(&tab, "/api/create_link_token", &json!({})).status, 500);
    for _ in 0..2 {
        plaid.fault("/item/public_token/exchange", &json!({ "kind": "reset" }));
    }
    let public_token = plaid.public_token();
    assert_eq!(
        broker
            .complete(&tab, &public_token)
            .unwrap()
            .reply()
            .unwrap()
            .status,
        503
    );
    let landed = broker.complete(&tab, &public_token).unwrap().reply().unwrap();
    let code = code_of(&landed);
    for status in [200, 400] {
        assert_eq!(broker.token(&[("code", &code)]).unwrap().status, status);
    }
    let leaving = broker.open("state=s").unwrap();
    let exit = json!({ "cancel": true, "request": leaving.request, "error": { "error_code": "ITEM_LOGIN_REQUIRED" },
        "metadata": { "status": "requires_credentials", "link_session_id": "s-1", "request_id": "r-1" } });
    assert_eq!(call(&leaving, "/api/link_exit", &exit).status, 200);
    assert!(get(&broker.url, "/?redirect_uri=https%3A%2F%2Fevil.example").status == 400);
    assert!(get(&broker.url, "/?response_type=token").status >= 300);
    assert_eq!(get(&broker.url, "/nothing/at/all").status, 404);

    plaid.fault(
        "/item/remove",
        &json!({ "kind": "error", "status": 500,
        "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR" }),
    );
    let form = encode(&[
        ("token", &refresh),
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let revoked = send(&broker.url, "POST", "/oauth/revoke", &headers, &form).unwrap();
    assert_eq!(revoked.reply().unwrap().status, 200);
    broker.process.stderr.says("Item removal failed at Plaid");
    assert_eq!(broker.process.stop(), Some(0));
    let log = broker.process.stderr.text();
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

#[test]
fn every_field_of_a_real_run_is_documented() {
    let everywhere = documented("Every line");
    let fields = documented("Fields");
    let mut seen = BTreeSet::new();
    for line in log_of_a_real_run() {
        let target = line["target"].as_str().expect("a target").to_owned();
        let level = line["level"].as_str().expect("a level");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&level), "{line}");
        if !target.starts_with(OURS) {
            continue;
        }
        for (name, value) in line.as_object().unwrap() {
            if name == "span" {
                for (name, value) in value.as_object().unwrap() {
                    let name = format!("span.{name}");
                    assert_eq!(
                        everywhere.get(&name).map(String::as_str),
                        Some(type_of(value)),
                        "{name}: {line}"
                    );
                }
                continue;
            }
            let known = everywhere.get(name).or_else(|| fields.get(name));
            let known = known.unwrap_or_else(|| panic!("{name} is not in docs/logging.md: {line}"));
            assert_eq!(known, type_of(value), "{name}: {line}");
            seen.insert(name.clone());
        }
    }
    // The run has shown something of everything.
    for name in [
        "http.route",
        "http.status",
        "elapsed_ms",
        "client.address",
        "oauth.grant",
        "oauth.error",
        "security.event",
        "transaction",
        "connection",
        "grant",
        "item",
        "owner",
        "plaid.path",
        "plaid.request_id",
        "link.status",
        "link_session_id",
        "attempts",
        "next_try_s",
        "cause",
        "error",
        "environment",
    ] {
        assert!(seen.contains(name), "no line had {name}");
    }
}

#[test]
fn the_fields_of_the_source_are_the_documented_ones() {
    let mut used = BTreeMap::new();
    for file in sources() {
        for name in fields_in(&std::fs::read_to_string(&file).unwrap()) {
            used.entry(name).or_insert(file.display().to_string());
        }
    }
    let documented: BTreeSet<String> = documented("Fields").into_keys().collect();
    for (name, file) in &used {
        let known = documented.contains(name) || name == "request_id";
        assert!(known, "{name} of {file} is not in docs/logging.md");
    }
    for name in &documented {
        assert!(
            used.contains_key(name),
            "nothing logs {name}, which docs/logging.md has"
        );
    }
}

#[test]
fn every_security_event_is_documented() {
    let mut events = BTreeSet::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        for part in text.split("security.event = \"").skip(1) {
            events.insert(part.split('"').next().unwrap().to_owned());
        }
    }
    assert!(events.len() >= 4, "{events:?}");
    for event in events {
        assert!(
            DOCUMENT.contains(&format!("`{event}`")),
            "{event} is not in docs/logging.md"
        );
    }
}

#[test]
fn names_can_be_kept_by_any_log_store() {
    let names: Vec<String> = documented("Fields").into_keys().collect();
    for name in &names {
        let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
        assert!(name.chars().all(plain), "{name}");
        // A store that nests by dots cannot have a value and a group of one name.
        let group = format!("{name}.");
        assert!(
            !names.iter().any(|other| other.starts_with(&group)),
            "{name} is a group too"
        );
    }
}

/// The Rust files of all crates.
fn sources() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = rust_files(&root.join("src"));
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        files.extend(rust_files(&entry.unwrap().path().join("src")));
    }
    files
}

fn rust_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The names of all fields in calls of tracing's macros.
fn fields_in(source: &str) -> Vec<String> {
    let mut fields = Vec::new();
    for (at, _) in source.match_indices("tracing::") {
        let call = &source[at + "tracing::".len()..];
        let name = call
            .split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .next()
            .unwrap();
        let Some(arguments) = call[name.len()..].strip_prefix("!(") else {
            continue;
        };
        for argument in split_arguments(arguments) {
            let argument = argument.trim().trim_start_matches(['%', '?']);
            if argument.starts_with('"') || argument.starts_with("target:") {
                continue;
            }
            let end = argument.find(|c: char| !(c.is_ascii_lowercase() || matches!(c, '_' | '.')));
            let field = &argument[..end.unwrap_or(argument.len())];
            if !field.is_empty() {
                fields.push(field.to_owned());
            }
        }
    }
    fields
}

/// The arguments of a call, up to its closing bracket.
fn split_arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut begins, mut quoted, mut escaped) = (0, 0, false, false);
    let mut arguments = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                arguments.push(&text[begins..at]);
                return arguments;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(&text[begins..at]);
                begins = at + 1;
            }
            _ => {}
        }
    }
    panic!("a call without an end: {text}");
}

#[test]
fn the_scanner_reads_calls_as_the_compiler_does() {
    let source = r#"
        tracing::warn!(security.event = "a, b", grant = %f(x, y), "text {}, {}", "more", 1);
        tracing::info!(target: "t::request", http.method = %method, ?took, %error);
        tracing::error!("({} \" open", 1);
        use tracing::Instrument as _;
    "#;
    assert_eq!(
        fields_in(source),
        ["security.event", "grant", "http.method", "took", "error"]
    );
}
