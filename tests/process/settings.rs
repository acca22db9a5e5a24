//! Settings and the command line.

use crate::flow::{Broker, Plaid, public_token};
use crate::harness::{Start, directory, write};
use crate::web::{get, send};

/// But for the ports, of which a machine has only one each.
#[test]
fn with_nothing_configured_it_serves_and_says_where() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home).set("RUST_LOG", "info"));
    let simulator = broker.process.stdout.line("simulator listening on ");
    for url in [&broker.url, &broker.ops, &simulator] {
        assert!(
            url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"),
            "{url}"
        );
    }
    assert_eq!(get(&broker.url, "/").status, 200);
    assert_eq!(get(&broker.ops, "/livez").status, 200);
    assert_eq!(get(&broker.ops, "/readyz").status, 200);
    assert!(public_token(&simulator).starts_with("public-sandbox-"));
    assert_eq!(broker.process.stop(), Some(0));

    let (stdout, stderr) = (broker.process.stdout.text(), broker.process.stderr.text());
    let port = broker.url.rsplit(':').next().unwrap();
    assert!(
        stdout.contains(&format!("Open http://localhost:{port}/")),
        "{stdout}"
    );
    assert!(
        !stdout.contains("\"level\"") && !stdout.contains("INFO"),
        "{stdout}"
    );
    for line in stderr.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "a log line that is no JSON: {line}"
        );
    }
    assert!(stderr.contains("\"http.route\":\"/\""), "{stderr}");
    assert!(home.path().join("data/simulator.db").exists());
}

#[test]
fn every_problem_of_the_settings_is_told_at_once_and_no_secret() {
    let home = directory();
    write(
        &home,
        ".env",
        "PLAID_ENV=staging\nAPP_PORT=eighty\nPLAID_PRODUCTS=auth,transactions\nPLAID_OPTIONAL_PRODUCTS=auth\n\
         PLAID_CLIENT_ID=hush-hush\nBROKER_KEYS=main:hush-hush\nBROKER_ADMIN_TOKEN=hush-hush\nDATABASE_URL=mysql://hush-hush\n",
    );
    let ended = Start::command(&home, &[])
        .set("PLAID_SECRET", "“hush-hush”")
        .set(
            "PLAID_REDIRECT_URI",
            "https://idp.example.com/callback#top,idp.example.com/callback",
        )
        .run();
    ended.must_say(
        2,
        &[
            "PLAID_ENV: choose simulator, sandbox or production (found `staging`)",
            "APP_PORT:",
            "(found `eighty`)",
            "PLAID_SECRET: remove the quotes",
            "remove the # and what follows it",
            "write a whole address that begins with https://",
            "BROKER_KEYS:",
            "BROKER_ADMIN_TOKEN:",
            "DATABASE_URL:",
        ],
    );
    assert!(
        ended.stderr.contains("PLAID_OPTIONAL_PRODUCTS") || ended.stderr.contains("PLAID_PRODUCTS"),
        "the lists overlap: {ended:?}"
    );
    assert!(ended.stdout.is_empty(), "{ended:?}");
    assert!(!ended.stderr.contains("mysql"), "{ended:?}");
    let client_id_is_none = ended.stderr.replace("(found `hush-hush`)", "");
    assert!(!client_id_is_none.contains("hush-hush"), "{ended:?}");
    assert!(!home.path().join("data").exists(), "nothing was begun");
}

/// The same lines in `.env`, and as `docker run --env-file` passes them on.
#[test]
fn one_file_of_settings_works_both_ways() {
    let lines = [
        ("PLAID_CLIENT_NAME", "'Acme Bank Bot'"),
        ("OAUTH_CLIENT_ID", "my-bot"),
        ("OAUTH_CLIENT_SECRET", "'abcdef\"gh\"ij'"),
    ];
    let home = directory();
    let file: String = lines.map(|(name, value)| format!("{name}={value}\n")).concat();
    write(&home, ".env", &format!("{file}not our line\n"));
    let by_file = Broker::of(Start::broker(&home));
    by_file.process.stderr.says(".env line 4 is no NAME=value");
    let other_home = directory();
    let outside = lines
        .iter()
        .fold(Start::broker(&other_home), |start, (name, value)| {
            start.set(name, value)
        });
    for broker in [by_file, Broker::of(outside)] {
        let form = |secret| {
            let form = [
                ("refresh_token", "none"),
                ("client_id", "my-bot"),
                ("client_secret", secret),
            ];
            broker.token(&form).unwrap().text("error")
        };
        assert_eq!(form("abcdef\"gh\"ij"), "invalid_grant");
        assert_eq!(form("abcdefghij"), "invalid_client");
    }
    let changed = directory();
    write(&changed, ".env", "OAUTH_CLIENT_SECRET=abcdef\"gh\"ij\n");
    let refused = Start::broker(&changed).run();
    refused.must_say(2, &[".env line 1: write OAUTH_CLIENT_SECRET='…'"]);
    assert!(!refused.stderr.contains("abcdef"), "{refused:?}");
}

#[test]
fn plain_http_where_the_public_url_is_https_is_warned_of_once() {
    let home = directory();
    let start = Start::broker(&home).set("PUBLIC_URL", "https://broker.example");
    let mut broker = Broker::of(start);
    let ask = |address: &str, accept: &str, proto: &str| {
        let headers = [
            ("X-Forwarded-For", address),
            ("X-Forwarded-Proto", proto),
            ("Accept", accept),
        ];
        let sent = send(&broker.url, "GET", "/setup/login", &headers, "").unwrap();
        assert_eq!(sent.reply().unwrap().status, 200);
    };
    // This machine, a program, and https.
    ask("127.0.0.1", "text/html", "http");
    ask("203.0.113.7:4321", "application/json", "http");
    ask("203.0.113.7:4321", "text/html", "https");
    assert!(!broker.process.stderr.text().contains("plain http"));
    for _ in 0..3 {
        ask("203.0.113.7:4321", "text/html", "http");
    }
    assert_eq!(broker.process.stop(), Some(0));
    let log = broker.process.stderr.text();
    assert_eq!(
        log.matches("signing in and connecting a bank fail over plain http")
            .count(),
        1,
        "{log}"
    );
    assert!(log.contains("\"peer\":\"203.0.113.7\""), "{log}");
}

#[test]
fn a_file_that_was_meant_to_be_dotenv_is_mentioned() {
    let home = directory();
    write(&home, ".env.txt", "PLAID_ENV=sandbox\n");
    let mut broker = Broker::of(Start::broker(&home));
    broker.process.stderr.says("there is a file .env.txt");
    assert_eq!(broker.process.stop(), Some(0));
    let refused = Start::command(&home, &["check"]).set("APP_PORT", "eighty").run();
    refused.must_say(
        2,
        &["APP_PORT: ", ".env: is missing, but there is a file .env.txt"],
    );
    write(&home, ".env", "");
    assert!(
        !Start::command(&home, &["check"])
            .set("APP_PORT", "eighty")
            .run()
            .stderr
            .contains(".env.txt")
    );
}

#[test]
fn each_bad_setting_names_its_variable() {
    let home = directory();
    for (name, value, word) in [
        ("PLAID_ENV", "development", "sandbox"),
        ("APP_PORT", "65536", "65535"),
        ("PORT", "-1", "65535"),
        ("BROKER_BIND", "localhost", "127.0.0.1"),
        ("BROKER_OPS_BIND", "9810", "127.0.0.1:9810"),
        ("BROKER_SIMULATOR_BIND", "0.0.0.0:9400", "127.0.0.1"),
        ("PUBLIC_URL", "https://example.com/path", "without a path"),
        ("PUBLIC_URL", "http://example.com", "https"),
        ("PLAID_PRODUCTS", "auth,banking", "banking"),
        ("PLAID_PRODUCTS", "`auth`", "quotes"),
        ("PLAID_REDIRECT_URI", "http://example.com/callback", "https"),
        ("OAUTH_CODE_TTL", "5m", "10"),
        ("RUST_LOG", "info,=x=", "trace"),
        ("BROKER_LOG", "xml", "json"),
    ] {
        let ended = Start::broker(&home).set(name, value).run();
        ended.must_say(2, &[&format!("{name}: "), word]);
        assert!(
            ended.stderr.starts_with("1 problem in the settings:\n"),
            "{ended:?}"
        );
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
}

#[test]
fn the_environment_wins_over_env_and_a_parents_env_is_nobodys() {
    let parent = directory();
    write(&parent, ".env", "PLAID_ENV=nonsense\n");
    let home = parent.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let mut broker = Broker::of(Start::broker(&home));
    assert_eq!(broker.process.stop(), Some(0));

    std::fs::write(
        home.join(".env"),
        "PLAID_CLIENT_NAME='From the file'\nAPP_PORT=eighty\n",
    )
    .unwrap();
    let mut broker = Broker::of(Start::broker(&home));
    assert_eq!(broker.process.stop(), Some(0));
    Start::broker(&home)
        .unset("APP_PORT")
        .run()
        .must_say(2, &["APP_PORT", "eighty"]);
}

#[test]
fn the_example_copied_to_env_starts() {
    let home = directory();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
    std::fs::copy(example, home.path().join(".env")).unwrap();
    let mut broker = Broker::of(Start::broker(&home));
    assert_eq!(get(&broker.url, "/").status, 200);
    assert!(!broker.process.stderr.text().contains("\"WARN\""), "no warnings");
    assert_eq!(broker.process.stop(), Some(0));
}

#[test]
fn a_misspelt_name_is_warned_of() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home).set("PLAID_PRODUCT", "auth"));
    broker.process.stderr.says("PLAID_PRODUCTS");
    assert_eq!(broker.process.stop(), Some(0));
}

#[test]
fn help_names_every_command_and_the_most_used_variables() {
    let home = directory();
    let ended = Start::command(&home, &["--help"]).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for word in [
        "serve",
        "simulate",
        "healthcheck",
        "keys",
        "PLAID_CLIENT_ID",
        "PLAID_SECRET",
        "PLAID_ENV",
        "PLAID_PRODUCTS",
        "PLAID_REDIRECT_URI",
        "APP_PORT",
        "BROKER_BIND",
        "PUBLIC_URL",
        "DATABASE_URL",
        ".env.example",
    ] {
        assert!(ended.stdout.contains(word), "{word}: {ended:?}");
    }
    let version = Start::command(&home, &["--version"]).run();
    assert_eq!(version.code, Some(0));
    assert_eq!(
        version.stdout.trim(),
        concat!("plaid-token-broker ", env!("CARGO_PKG_VERSION"))
    );
    let simulate = Start::command(&home, &["simulate", "--help"]).run();
    assert_eq!(simulate.code, Some(0));
    assert!(simulate.stdout.contains("--bind") && simulate.stdout.contains("--key"));
}

#[test]
fn what_is_no_argument_is_a_usage_error() {
    let home = directory();
    for arguments in [
        &["--verbose"][..],
        &["srve"],
        &["serve", "now"],
        &["simulate", "--bind", "9400"],
        &["simulate", "--bind", "0.0.0.0:0"],
        &["simulate", "--bind", "[::]:0"],
        &["simulate", "--key", "id-alone"],
        &["simulate", "--key", "abc:def"],
        &["simulate", "--key", "00000000000000000000000a:"],
        &["simulate", "--products", "5a11ced0c0ffee0000000001:nope"],
        &["simulate", "--products", "5a11ced0c0ffee0000000001:auth,"],
        &["simulate", "--products", "x:auth"],
        &["simulate", "--products", "00000000000000000000000a:auth"],
        &["simulate", "--redirect-uri", "nope"],
        &["simulate", "--redirect-uri", "/oauth.html"],
    ] {
        let ended = Start::command(&home, arguments).run();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{ended:?}");
    }
    let ended = Start::command(&home, &["simulate", "--bind", "0.0.0.0:0"]).run();
    ended.must_say(2, &["--bind", "loopback"]);
    for (arguments, said) in [
        (["--key", "abc:def"], &["--key", "24 hexadecimal"][..]),
        (
            ["--products", "5a11ced0c0ffee0000000001:nope"],
            &["--products", "\"nope\" is no product"],
        ),
        (
            ["--products", "00000000000000000000000a:auth"],
            &["no client has the id", "add it with --key"],
        ),
        (["--redirect-uri", "nope"], &["--redirect-uri", "whole address"]),
    ] {
        let arguments = [&["simulate"][..], &arguments].concat();
        Start::command(&home, &arguments).run().must_say(2, said);
    }
}

#[test]
fn healthcheck_says_whether_the_broker_is_alive() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    let ops = broker.ops.strip_prefix("http://").unwrap().to_owned();
    let check = || {
        Start::command(&home, &["healthcheck"])
            .set("BROKER_OPS_BIND", &ops)
            .run()
    };
    let alive = check();
    assert_eq!(alive.code, Some(0), "{alive:?}");
    // "All addresses" is asked for on this machine.
    let port = ops.rsplit(':').next().unwrap();
    let all = Start::command(&home, &["healthcheck"])
        .set("BROKER_OPS_BIND", &format!("0.0.0.0:{port}"))
        .run();
    assert_eq!(all.code, Some(0), "{all:?}");

    // Something that answers, but is not the broker's operations address.
    let other = broker.url.strip_prefix("http://").unwrap().to_owned();
    Start::command(&home, &["healthcheck"])
        .set("BROKER_OPS_BIND", &other)
        .run()
        .must_say(1, &["/livez"]);

    assert_eq!(broker.process.stop(), Some(0));
    check().must_say(3, &["BROKER_OPS_BIND", "cannot be reached"]);
    Start::command(&home, &["healthcheck"])
        .set("BROKER_OPS_BIND", "nowhere")
        .run()
        .must_say(2, &["BROKER_OPS_BIND"]);
}

#[test]
fn simulate_serves_alone_and_stops_when_told() {
    let home = directory();
    let mut plaid = Plaid::start(&home);
    assert!(plaid.public_token().starts_with("public-sandbox-"));
    assert_eq!(plaid.process.stop(), Some(0));
}
