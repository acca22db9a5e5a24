//! `check`: each fault that is injected has a name in what it says. Plaid is the simulator, in a process of its own.

use std::collections::BTreeMap;

use plaid_token_broker::simulator::{CLIENT_ID, SECRET};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::flow::{Broker, CALLBACK, Plaid};
use crate::harness::{Ended, Start, directory, write};
use crate::stand_in::{free_port, listen};
use crate::web::get;

/// What `check --json` said.
#[derive(Debug)]
pub struct Checked {
    pub code: i32,
    pub findings: BTreeMap<String, Value>,
    pub output: String,
}

impl Checked {
    pub fn of(start: Start) -> Self {
        let ended = start.run();
        Self::read(&ended)
    }

    fn read(ended: &Ended) -> Self {
        let output: Value =
            serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("no JSON: {ended:?}"));
        let findings = output["findings"].as_array().expect("findings");
        let named = findings
            .iter()
            .map(|finding| (finding["id"].as_str().unwrap().to_owned(), finding.clone()));
        Self {
            code: ended.code.expect("an exit code"),
            findings: named.collect(),
            output: ended.stdout.clone() + &ended.stderr,
        }
    }

    /// This check ended so, and its words say all this.
    #[track_caller]
    pub fn must(&self, id: &str, status: &str, words: &[&str]) -> &Self {
        let finding = &self.findings[id];
        assert_eq!(finding["status"], status, "{finding}");
        let text = format!("{} {}", finding["found"], finding["fix"]);
        for word in words {
            assert!(text.contains(word), "no `{word}` in {finding}");
        }
        let has_fix = finding["fix"].is_string();
        assert_eq!(has_fix, matches!(status, "failed" | "warning"), "{finding}");
        self
    }

    /// Only these failed, and the exit code says so.
    #[track_caller]
    pub fn only(&self, failed: &[&str]) -> &Self {
        let found: Vec<&str> = self
            .findings
            .iter()
            .filter(|(_, finding)| finding["status"] == "failed")
            .map(|(id, _)| id.as_str())
            .collect();
        assert_eq!(found, failed, "{:#?}", self.findings);
        let code = match failed {
            [] => 0,
            all if all.contains(&"plaid_reachable") => 3,
            _ => 1,
        };
        assert_eq!(self.code, code);
        self
    }
}

/// `check --json` in this directory, with this Plaid as the Sandbox.
pub fn check(home: &TempDir, plaid: &Plaid) -> Start {
    Start::command(home, &["check", "--json"])
        .set("PLAID_CLIENT_ID", CLIENT_ID)
        .set("PLAID_SECRET", SECRET)
        .set("PLAID_BASE_URL", &plaid.url)
        .set("PLAID_REDIRECT_URI", CALLBACK)
        .set("APP_PORT", "0")
        .set("BROKER_NGROK_API", "off")
        .set("BROKER_CLOUDFLARED_METRICS", "off")
}

fn refusal(error_type: &str, code: &str) -> Value {
    json!({ "kind": "error", "status": 400, "error_type": error_type, "error_code": code })
}

/// The next call of the path is met as if nothing waited for it.
fn nothing() -> Value {
    json!({ "kind": "delay", "milliseconds": 0 })
}

#[test]
fn with_nothing_wrong_it_passes_and_changes_nothing() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let checked = Checked::of(check(&home, &plaid));
    checked.only(&[]);
    for (id, status) in [
        ("plaid_reachable", "ok"),
        ("plaid_keys", "ok"),
        ("clock", "ok"),
        ("products_enabled", "ok"),
        ("institutions", "ok"),
        ("countries", "ok"),
        ("link_settings", "ok"),
        ("redirect_uris", "ok"),
        ("store_writable", "ok"),
        ("store_keys", "skipped"),
        ("disk_space", "ok"),
        ("port", "ok"),
        ("settings", "ok"),
        ("version", "ok"),
        ("public_url_answers", "skipped"),
    ] {
        checked.must(id, status, &[]);
    }
    assert!(!checked.output.contains(SECRET));
    let state = get(&plaid.url, "/_simulator/state").json();
    assert_eq!(state["items"], json!([]), "no Item was made");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn people_read_ticks_and_fixes() {
    let home = directory();
    let start = |name: &str, value: &str| {
        Start::command(&home, &["check"])
            .set("BROKER_NGROK_API", "off")
            .set("APP_PORT", "0")
            .set(name, value)
            .run()
    };
    let ended = start("PLAID_COUNTRY_CODES", "US");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in [
        "plaid-token-broker 0.1.0, simulator\n",
        "\nPlaid\n",
        "  ✓ Plaid takes the keys\n",
        "0 failed, ",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended:?}");
    }
    assert!(
        !ended.stdout.contains('\u{1b}') && ended.stderr.is_empty(),
        "no terminal: {ended:?}"
    );
    // British test banks have no investments and no liabilities.
    let ended = start("PLAID_COUNTRY_CODES", "GB");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines =
        "  ✗ The product lists leave banks to choose from\n    Of 3 institutions in GB, 0 support all";
    assert!(ended.stdout.contains(lines), "{ended:?}");
    assert!(
        ended.stdout.contains("    Fix: Keep in PLAID_PRODUCTS"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.lines().all(|line| line.chars().count() <= 101),
        "{ended:?}"
    );
}

#[test]
fn settings_that_cannot_be_used_are_told_and_nothing_is_checked() {
    let home = directory();
    let start = |arguments: &[&str]| Start::command(&home, arguments).set("PLAID_ENV", "staging").run();
    start(&["check"]).must_say(2, &["PLAID_ENV: choose simulator, sandbox or production"]);
    let ended = start(&["check", "--json"]);
    assert_eq!(ended.code, Some(2));
    let output: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(output["passed"], false);
    assert_eq!(output["problems"][0]["variable"], "PLAID_ENV");
    assert_eq!(output["problems"][0]["found"], "staging");
}

#[test]
fn keys_that_plaid_refuses_are_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let wrong = "00000000000000000000000000000a";
    let checked = Checked::of(check(&home, &plaid).set("PLAID_SECRET", wrong));
    checked
        .only(&["plaid_keys"])
        .must(
            "plaid_keys",
            "failed",
            &["INVALID_API_KEYS", "PLAID_ENV=production", "dashboard.plaid.com"],
        )
        .must("products_enabled", "skipped", &[])
        .must("institutions", "skipped", &[]);
    assert!(!checked.output.contains(wrong));

    plaid.fault(
        "/link/token/create",
        &refusal("INVALID_INPUT", "UNAUTHORIZED_ENVIRONMENT"),
    );
    Checked::of(check(&home, &plaid)).only(&["plaid_keys"]).must(
        "plaid_keys",
        "failed",
        &["not enabled for sandbox"],
    );
}

#[test]
fn plaid_that_does_not_answer_is_told_from_plaid_that_refuses() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let html = |status: u16| json!({ "kind": "body", "status": status, "content_type": "text/html", "bytes": b"<html>".to_vec() });
    for (fault, words) in [
        (json!({ "kind": "reset" }), ["broke", "firewall"]),
        (json!({ "kind": "truncate", "keep": 10 }), ["broke", "firewall"]),
        (html(502), ["not Plaid: status 502", "PLAID_BASE_URL"]),
        (html(200), ["not Plaid: status 200", "PLAID_BASE_URL"]),
        (
            json!({ "kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR" }),
            ["INTERNAL_SERVER_ERROR", "status.plaid.com"],
        ),
        (json!({ "kind": "hang" }), ["did not answer within", "firewall"]),
    ] {
        plaid.fault("/link/token/create", &fault);
        Checked::of(check(&home, &plaid))
            .only(&["plaid_reachable"])
            .must("plaid_reachable", "failed", &words)
            .must("plaid_keys", "skipped", &[]);
    }
    let nobody = format!("http://127.0.0.1:{}", free_port());
    Checked::of(check(&home, &plaid).set("PLAID_BASE_URL", &nobody))
        .only(&["plaid_reachable"])
        .must(
            "plaid_reachable",
            "failed",
            &["could not be reached", &nobody, "PLAID_BASE_URL"],
        );
}

#[test]
fn products_that_are_not_enabled_are_named_with_their_setting() {
    let home = directory();
    let only = format!("{CLIENT_ID}:auth,transactions");
    let plaid = Plaid::of(Start::command(
        &home,
        &["simulate", "--bind", "127.0.0.1:0", "--products", &only],
    ));
    let start = check(&home, &plaid)
        .set("PLAID_PRODUCTS", "auth,identity")
        .set("PLAID_OPTIONAL_PRODUCTS", "liabilities");
    Checked::of(start)
        .only(&["products_enabled"])
        .must(
            "products_enabled",
            "failed",
            &[
                "refuses identity and liabilities",
                "INVALID_PRODUCT",
                "identity from PLAID_PRODUCTS",
                "liabilities from PLAID_OPTIONAL_PRODUCTS",
            ],
        )
        .must("countries", "ok", &[]);
}

#[test]
fn what_link_does_not_take_is_found_by_trying_each_alone() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let path = "/link/token/create";
    // The whole, and then a country each.
    for fault in [
        refusal("INVALID_REQUEST", "INVALID_FIELD"),
        nothing(),
        refusal("INVALID_REQUEST", "INVALID_FIELD"),
    ] {
        plaid.fault(path, &fault);
    }
    let start = || check(&home, &plaid).set("PLAID_PRODUCTS", "auth");
    Checked::of(start().set("PLAID_COUNTRY_CODES", "US,CA"))
        .only(&["countries"])
        .must("countries", "failed", &["take CA", "PLAID_COUNTRY_CODES"]);

    // The whole; the country, the product, the products together, the language; and then the customization.
    let refused = refusal("INVALID_INPUT", "INVALID_LINK_CUSTOMIZATION");
    for fault in [
        refused.clone(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        refused,
    ] {
        plaid.fault(path, &fault);
    }
    Checked::of(start().set("PLAID_LINK_CUSTOMIZATION_NAME", "blue"))
        .only(&["link_settings"])
        .must(
            "link_settings",
            "failed",
            &["PLAID_LINK_CUSTOMIZATION_NAME", "INVALID_LINK_CUSTOMIZATION"],
        );

    plaid.fault(path, &refusal("INVALID_REQUEST", "INVALID_CONFIGURATION"));
    Checked::of(start()).only(&["link_settings"]).must(
        "link_settings",
        "failed",
        &["not all of them together", "INVALID_CONFIGURATION"],
    );

    plaid.fault(path, &json!({ "kind": "error", "status": 429, "error_type": "RATE_LIMIT_EXCEEDED", "error_code": "RATE_LIMIT" }));
    Checked::of(start())
        .only(&[])
        .must("plaid_keys", "skipped", &["in a minute"]);
}

#[test]
fn a_link_redirect_uri_that_plaid_does_not_know_is_told() {
    let home = directory();
    let listed = "https://elsewhere.example/link/return";
    let plaid = Plaid::of(Start::command(
        &home,
        &["simulate", "--bind", "127.0.0.1:0", "--redirect-uri", listed],
    ));
    let start = |public: &str| {
        check(&home, &plaid)
            .set("PUBLIC_URL", public)
            .set("PLAID_LINK_REDIRECT_URI", &format!("{public}/link/return"))
    };
    Checked::of(start("http://localhost:9"))
        .only(&["link_redirect_uri"])
        .must(
            "link_redirect_uri",
            "failed",
            &[
                "does not know",
                "http://localhost:9/link/return",
                "allowed redirect URIs",
            ],
        );
    let home = directory();
    let plaid = Plaid::of(Start::command(
        &home,
        &[
            "simulate",
            "--bind",
            "127.0.0.1:0",
            "--redirect-uri",
            "http://localhost:9/link/return",
        ],
    ));
    Checked::of(
        check(&home, &plaid)
            .set("PUBLIC_URL", "http://localhost:9")
            .set("PLAID_LINK_REDIRECT_URI", "http://localhost:9/link/return"),
    )
    .only(&[])
    .must("link_redirect_uri", "ok", &[]);
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    for (seconds, status) in [(60, "warning"), (400, "failed")] {
        let order = json!({ "advance_seconds": seconds });
        crate::web::post_json(&plaid.url, "/_simulator/clock", &order).unwrap();
        let checked = Checked::of(check(&home, &plaid));
        checked.must("clock", status, &["behind Plaid's", "time synchronisation"]);
    }
}

#[test]
fn products_that_hide_most_banks_are_told_with_what_to_move() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let counted = |total: u64| {
        let body = json!({ "institutions": [], "total": total, "request_id": "r" })
            .to_string()
            .into_bytes();
        json!({ "kind": "body", "status": 200, "content_type": "application/json", "bytes": body })
    };
    // All of them, those with every product, and then each product.
    for total in [12_000, 900, 9_000, 11_000, 8_000, 2_000, 3_000] {
        plaid.fault("/institutions/get", &counted(total));
    }
    Checked::of(check(&home, &plaid)).only(&[]).must(
        "institutions",
        "warning",
        &[
            "Of 12000 institutions in US, 900 support",
            "transactions 11000",
            "PLAID_PRODUCTS=transactions leaves 11000",
            "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities",
        ],
    );
    let limited = json!({ "kind": "error", "status": 429, "error_type": "RATE_LIMIT_EXCEEDED", "error_code": "INSTITUTIONS_GET_LIMIT" });
    plaid.fault("/institutions/get", &limited);
    Checked::of(check(&home, &plaid))
        .only(&[])
        .must("institutions", "skipped", &["in a minute"]);
}

#[test]
fn what_plaid_says_cannot_bring_a_secret_onto_the_screen() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let words = json!({
        "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS",
        "error_message": format!("no such secret: {SECRET}\u{1b}[2J"), "request_id": "r",
    });
    let bytes = words.to_string().into_bytes();
    plaid.fault(
        "/link/token/create",
        &json!({ "kind": "body", "status": 400, "content_type": "application/json", "bytes": bytes }),
    );
    let checked = Checked::of(check(&home, &plaid));
    checked.must("plaid_keys", "failed", &["no such secret: …"]);
    assert!(
        !checked.output.contains(SECRET) && !checked.output.contains("u001b"),
        "{}",
        checked.output
    );
}

#[test]
fn callbacks_that_are_none_are_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    for (uri, words) in [
        ("http://localhost:3000/", "Quickstart"),
        ("https://dashboard.plaid.com/oauth", "address of Plaid's"),
        (
            "https://idp.kore.ai/workflows/callback",
            "https://idp.kore.ai/workflows/callback/.",
        ),
        (
            "https://idp.kore.com/workflows/callback/",
            "https://idp.kore.com/workflows/callback.",
        ),
        ("https://eu-bots-idp.kore.ai/callback", "/workflows/callback"),
        ("https://broker.invalid/link/return", "address of this broker"),
    ] {
        let start = check(&home, &plaid)
            .set("PLAID_REDIRECT_URI", uri)
            .set("PUBLIC_URL", "https://broker.invalid");
        Checked::of(start).must("redirect_uris", "warning", &[uri, words, "PLAID_REDIRECT_URI"]);
    }
    Checked::of(check(&home, &plaid).unset("PLAID_REDIRECT_URI"))
        .only(&["redirect_uris"])
        .must("redirect_uris", "failed", &["PLAID_REDIRECT_URI"]);
    let regions = "https://idp.kore.com/workflows/callback,https://idp.kore.ai/workflows/callback/,\
                   https://eu-bots-idp.kore.ai/workflows/callback";
    Checked::of(check(&home, &plaid).set("PLAID_REDIRECT_URI", regions)).must(
        "redirect_uris",
        "ok",
        &["eu-bots"],
    );
}

#[test]
fn production_has_stricter_rules() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let production = || {
        check(&home, &plaid)
            .set("PLAID_ENV", "production")
            .set("PLAID_PRODUCTS", "auth")
    };
    Checked::of(production())
        .only(&["client_auth"])
        .must("client_auth", "failed", &["simulator's", "OAUTH_CLIENT_SECRET"])
        .must("admin_token", "warning", &["BROKER_ADMIN_TOKEN"])
        .must("key_file", "warning", &["broker.key", "BROKER_KEYS"])
        .must("link_redirect_uri", "warning", &["PLAID_LINK_REDIRECT_URI"])
        .must("redirect_uris", "warning", &["in production"])
        .must("public_url", "warning", &["PUBLIC_URL"]);

    let key = "main:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let own = production()
        .set("OAUTH_CLIENT_SECRET", "a-secret-of-its-own-0123456789")
        .set("BROKER_ADMIN_TOKEN", "an-admin-token-0123456789")
        .set("BROKER_KEYS", key);
    let checked = Checked::of(own);
    checked
        .must("client_auth", "ok", &[])
        .must("admin_token", "ok", &[])
        .must("key_file", "ok", &[]);
    for secret in ["a-secret-of-its-own", "an-admin-token", "AAAAAAAAAAAA"] {
        assert!(!checked.output.contains(secret));
    }

    let keyed = Plaid::of(Start::command(
        &home,
        &[
            "simulate",
            "--bind",
            "127.0.0.1:0",
            "--key",
            "00000000000000000000000a:0123456789abcdef0123456789abcd",
        ],
    ));
    Checked::of(
        production()
            .set("PLAID_BASE_URL", &keyed.url)
            .set("PLAID_CLIENT_ID", "00000000000000000000000a")
            .set("PLAID_SECRET", "0123456789abcdef0123456789abcd"),
    )
    .must("client_auth", "warning", &["Plaid's own"]);
}

#[test]
fn odd_settings_are_told_again() {
    let home = directory();
    let plaid = Plaid::start(&home);
    write(&home, ".env", "PLAID_PRODUCT=auth\n");
    Checked::of(check(&home, &plaid)).must("settings", "warning", &["PLAID_PRODUCTS"]);
}

#[test]
fn a_port_that_another_program_has_is_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let taken = listen(drop).to_string();
    Checked::of(check(&home, &plaid).set("APP_PORT", &taken))
        .only(&["port"])
        .must("port", "failed", &[&taken, "APP_PORT"]);
    Checked::of(check(&home, &plaid).set("APP_PORT", &free_port().to_string())).must("port", "ok", &["free"]);
}

/// A broker of this directory on a port that `check` knows too.
pub fn broker_on(port: u16, home: &TempDir, plaid: &Plaid) -> Broker {
    Broker::of(
        plaid
            .broker(home)
            .set("APP_PORT", &port.to_string())
            .set("BROKER_NGROK_API", "off"),
    )
}

#[test]
fn the_store_of_a_running_broker_is_looked_at() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let port = free_port();
    let mut broker = broker_on(port, &home, &plaid);
    broker.tokens(&plaid.url);
    let start = || check(&home, &plaid).set("APP_PORT", &port.to_string());
    Checked::of(start())
        .only(&[])
        .must("store_writable", "ok", &["open in another process"])
        .must("store_keys", "ok", &["open all 1 stored"])
        .must("port", "ok", &["answers on"])
        .must("version", "ok", &["0.1.0"])
        .must("public_url_answers", "ok", &["this broker"]);
    // What an administrator allowed is known without the broker's help.
    let database = rusqlite::Connection::open(home.path().join("data/sandbox.db")).unwrap();
    let row = (CLIENT_ID, "https://idp.example.com/callback");
    database
        .execute(
            "INSERT INTO redirect_uris (client_id, uri, allowed_at, allowed_by) VALUES (?1, ?2, 1, 'admin')",
            row,
        )
        .unwrap();
    drop(database);
    Checked::of(start().unset("PLAID_REDIRECT_URI")).only(&[]).must(
        "redirect_uris",
        "ok",
        &["https://idp.example.com/callback"],
    );
    // The broker goes on, and can be stopped and started again.
    broker.tokens(&plaid.url);
    assert_eq!(broker.process.stop(), Some(0));

    Checked::of(start())
        .only(&[])
        .must("store_keys", "ok", &["open all 2 stored"]);
    let other = "main:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    Checked::of(start().set("BROKER_KEYS", other))
        .only(&["store_keys"])
        .must("store_keys", "failed", &["BROKER_KEYS"]);
    std::fs::rename(
        home.path().join("data/broker.key"),
        home.path().join("data/kept.key"),
    )
    .unwrap();
    Checked::of(start())
        .only(&["store_keys"])
        .must("store_keys", "failed", &["broker.key", "backup"]);
    std::fs::rename(
        home.path().join("data/kept.key"),
        home.path().join("data/broker.key"),
    )
    .unwrap();
    let account = Plaid::of(Start::command(
        &home,
        &[
            "simulate",
            "--bind",
            "127.0.0.1:0",
            "--key",
            "00000000000000000000000a:another-secret-0123",
        ],
    ));
    Checked::of(
        start()
            .set("PLAID_BASE_URL", &account.url)
            .set("PLAID_CLIENT_ID", "00000000000000000000000a")
            .set("PLAID_SECRET", "another-secret-0123"),
    )
    .only(&["store_keys"])
    .must(
        "store_keys",
        "failed",
        &["00000000000000000000000a", "DATABASE_URL"],
    );
    std::fs::write(home.path().join("data/sandbox.db"), "no database").unwrap();
    Checked::of(start())
        .only(&["store_keys"])
        .must("store_keys", "failed", &["not a store of this program"]);
}

#[test]
fn a_row_that_does_not_open_is_counted() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = broker_on(free_port(), &home, &plaid);
    broker.tokens(&plaid.url);
    broker.tokens(&plaid.url);
    assert_eq!(broker.process.stop(), Some(0));
    let database = rusqlite::Connection::open(home.path().join("data/sandbox.db")).unwrap();
    let changed = database
        .execute(
            "UPDATE connections SET access_token = (SELECT access_token FROM connections ORDER BY id LIMIT 1)",
            [],
        )
        .unwrap();
    assert_eq!(changed, 2);
    drop(database);
    Checked::of(check(&home, &plaid)).only(&["store_keys"]).must(
        "store_keys",
        "failed",
        &["1 of 2", "does not open"],
    );
}
