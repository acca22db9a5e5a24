//! `check`: each fault that is injected has a name in what it says. Plaid is the simulator, in a process of its own.

use std::collections::BTreeMap;

use plaid_token_broker::simulator::{CLIENT_ID, SECRET};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::flow::{Broker, CALLBACK, Plaid};
use crate::harness::{Ended, Start, directory, write};
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

/// `check --json` in this directory, with this Plaid as the Sandbox. It does not find the control socket of a broker there.
pub fn check(home: &TempDir, plaid: &Plaid) -> Start {
    Start::command(home, &["check", "--json"])
        .set("PLAID_CLIENT_ID", CLIENT_ID)
        .set("PLAID_SECRET", SECRET)
        .set("PLAID_BASE_URL", &plaid.url)
        .set("PLAID_REDIRECT_URI", CALLBACK)
        .set("APP_PORT", "0")
        .set("BROKER_OPS_BIND", "127.0.0.1:0")
        .set("BROKER_CONTROL_SOCKET", "elsewhere.sock")
        .set("BROKER_NGROK_API", "off")
        .set("BROKER_CLOUDFLARED_METRICS", "off")
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
        (
            "file_system",
            if cfg!(target_os = "linux") {
                "ok"
            } else {
                "skipped"
            },
        ),
        ("store_writable", "ok"),
        ("store_keys", "skipped"),
        ("disk_space", "ok"),
        ("port", "ok"),
        ("settings", "ok"),
        ("audit_file", "skipped"),
        ("version", "skipped"),
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
    let start = |settings: &[(&str, &str)]| {
        let command = Start::command(&home, &["check"])
            .set("BROKER_NGROK_API", "off")
            .set("APP_PORT", "0")
            .set("BROKER_OPS_BIND", "127.0.0.1:0")
            .set("BROKER_SIMULATOR_BIND", "127.0.0.1:0");
        settings
            .iter()
            .fold(command, |command, (name, value)| command.set(name, value))
            .run()
    };
    let ended = start(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in [
        "plaid-token-broker 0.1.0, simulator\n",
        "\nPlaid\n",
        "\n✓ Plaid accepts the keys: ",
        "0 failed, ",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended:?}");
    }
    assert!(
        !ended.stdout.contains('\u{1b}') && ended.stderr.is_empty(),
        "no terminal: {ended:?}"
    );
    // British test banks have no investments and no liabilities.
    let guide = "auth,transactions,identity,investments,liabilities";
    let ended = start(&[("PLAID_COUNTRY_CODES", "GB"), ("PLAID_PRODUCTS", guide)]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for lines in [
        "✗ The product lists leave banks to choose from: Of 3 institutions in GB, 0 support all",
        "\n  → Keep in PLAID_PRODUCTS",
        // What auth costs there, with two lines to copy.
        "\n  → Use these lines instead:\n    PLAID_PRODUCTS=transactions\n    \
         PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities\n",
    ] {
        assert!(ended.stdout.contains(lines), "{lines}: {ended:?}");
    }
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
fn callbacks_that_are_none_are_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    for (uri, words) in [
        ("http://localhost:3000/", "Quickstart"),
        ("https://dashboard.plaid.com/oauth", "address of Plaid,"),
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
    // Two of one kind have one fix.
    let two = "https://dashboard.plaid.com/a,https://dashboard.plaid.com/b";
    let checked = Checked::of(check(&home, &plaid).set("PLAID_REDIRECT_URI", two));
    checked.must("redirect_uris", "warning", &["/a is", "/b is"]);
    let fix = checked.findings["redirect_uris"]["fix"].as_str().unwrap();
    assert_eq!(fix.matches("Put the callback URL").count(), 1, "{fix}");
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
            .set("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none")
    };
    Checked::of(production())
        .only(&["client_auth"])
        .must("client_auth", "failed", &["simulator's", "OAUTH_CLIENT_SECRET"])
        .must("admin_token", "warning", &["BROKER_ADMIN_TOKEN"])
        .must("key_file", "warning", &["broker.key", "BROKER_KEYS"])
        .must("link_redirect_uri", "warning", &["PLAID_LINK_REDIRECT_URI"])
        .must("redirect_uris", "warning", &["in production"])
        .must("public_url", "warning", &["PUBLIC_URL"]);
    // An app on people's own machines has no other callback; a program on a server has.
    let example = include_str!("../../docs/clients.example.toml");
    write(&home, "clients.toml", example);
    Checked::of(
        production()
            .set("OAUTH_CLIENTS_FILE", "clients.toml")
            .set("PLAID_PRODUCTS", "auth,transactions")
            .set("PLAID_REDIRECT_URI", "https://idp.kore.com/workflows/callback"),
    )
    .must("redirect_uris", "ok", &["http://127.0.0.1/callback"]);

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
fn accounts_that_auth_hides_are_a_warning_with_the_lines_to_use_instead() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let guide = "auth,transactions,identity,investments,liabilities";
    Checked::of(check(&home, &plaid).set("PLAID_PRODUCTS", guide))
        .must(
            "offered_accounts",
            "warning",
            &[
                "only checking, savings and cash management",
                "NO_INVESTMENT_ACCOUNTS or NO_LIABILITY_ACCOUNTS",
                "\\nPLAID_PRODUCTS=transactions\\nPLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities",
            ],
        )
        .must("settings", "ok", &[]);
    Checked::of(check(&home, &plaid)).must("offered_accounts", "ok", &["all types"]);
    // The start says the same, and goes on.
    let mut broker = Broker::of(plaid.broker(&home).set("PLAID_PRODUCTS", guide));
    broker
        .process
        .stderr
        .says("only checking, savings and cash management");
    broker
        .process
        .stderr
        .says("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities");
    assert_eq!(broker.process.stop(), Some(0));
}

#[test]
fn odd_settings_are_told_again() {
    let home = directory();
    let plaid = Plaid::start(&home);
    write(&home, ".env", "PLAID_PRODUCT=auth\n");
    Checked::of(check(&home, &plaid)).must("settings", "warning", &["PLAID_PRODUCTS"]);
    // A short secret has a check of its own, and is told once.
    write(&home, ".env", "OAUTH_CLIENT_SECRET=short-one\n");
    Checked::of(check(&home, &plaid))
        .must("settings", "ok", &[])
        .must("client_auth", "warning", &["too short"]);
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
