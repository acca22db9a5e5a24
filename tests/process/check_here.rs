//! `check` and this machine: the store beside a running broker, the keys, the port.

use plaid_token_broker::simulator::CLIENT_ID;

use crate::check::{Checked, broker_on, check};
use crate::flow::{Broker, Plaid};
use crate::harness::{Start, directory};
use crate::stand_in::{free_port, listen};
use crate::web::get;

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

#[test]
fn whatever_else_keeps_the_broker_from_starting_is_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let taken = format!("127.0.0.1:{}", listen(drop));
    // Each time `serve` ends as `check` said.
    let both = |name: &str, value: &str| {
        let serve = plaid.broker(&home).set(name, value).run();
        assert_ne!(serve.code, Some(0), "{serve:?}");
        check(&home, &plaid).set(name, value)
    };
    Checked::of(both("BROKER_OPS_BIND", &taken)).only(&["port"]).must(
        "port",
        "failed",
        &[&taken, "BROKER_OPS_BIND", "another broker"],
    );
    Checked::of(both("BROKER_AUDIT_FILE", "not-there/audit.jsonl"))
        .only(&["audit_file"])
        .must(
            "audit_file",
            "failed",
            &["not-there/audit.jsonl", "BROKER_AUDIT_FILE"],
        );
    assert!(!home.path().join("not-there").exists());
    Checked::of(check(&home, &plaid).set("BROKER_AUDIT_FILE", "audit.jsonl"))
        .only(&[])
        .must("audit_file", "ok", &["audit.jsonl"]);
    assert!(!home.path().join("audit.jsonl").exists(), "it made nothing");

    let simulator = |arguments: &[&str]| {
        Start::broker(&home)
            .arguments(arguments)
            .set("BROKER_SIMULATOR_BIND", &taken)
            .set("BROKER_NGROK_API", "off")
            .run()
    };
    assert_eq!(simulator(&["serve"]).code, Some(1));
    let ended = simulator(&["check", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains(&format!("{taken} (BROKER_SIMULATOR_BIND)")),
        "{ended:?}"
    );

    let port = free_port().to_string();
    for command in ["serve", "check"] {
        let ended = plaid
            .broker(&home)
            .arguments(&[command])
            .set("APP_PORT", &port)
            .set("BROKER_OPS_BIND", &format!("127.0.0.1:{port}"))
            .run();
        ended.must_say(2, &["BROKER_OPS_BIND", "the same address as APP_PORT"]);
    }
}

#[test]
fn the_running_broker_is_asked_for_what_it_knows() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let audit = home.path().join("audit.jsonl").display().to_string();
    let broker = Broker::of(
        plaid
            .broker(&home)
            .set("BROKER_NGROK_API", "off")
            .set("BROKER_AUDIT_FILE", &audit),
    );
    let ops = broker.ops.trim_start_matches("http://");
    let url = broker.url.replace("127.0.0.1", "localhost");
    let start = || {
        check(&home, &plaid)
            .set("BROKER_OPS_BIND", ops)
            .unset("BROKER_CONTROL_SOCKET")
            .set("BROKER_AUDIT_FILE", &audit)
    };
    let own = broker.url.trim_start_matches("http://");
    Checked::of(start())
        .only(&[])
        .must("store_writable", "ok", &["wrote and read"])
        .must("audit_file", "ok", &[])
        .must("port", "ok", &[own])
        .must("version", "ok", &["0.1.0"])
        .must("public_url", "warning", &[&url])
        .must("public_url_answers", "ok", &[&url]);
    Checked::of(start().set("PUBLIC_URL", "https://other.example"))
        .must("public_url", "warning", &[&url, "https://other.example"])
        .must("public_url_answers", "ok", &[&url]);

    // Somebody holds the store up, as a full disk would.
    let database = rusqlite::Connection::open(home.path().join("data/sandbox.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(get(&broker.ops, "/readyz").status, 503);
    Checked::of(start()).only(&["store_writable"]).must(
        "store_writable",
        "failed",
        &["running broker reports", "cannot answer"],
    );
    database.execute_batch("ROLLBACK").unwrap();
    Checked::of(start()).must("store_writable", "ok", &[]);
}

/// One of its own would be healthy whatever the running broker's does.
#[test]
fn in_simulator_mode_the_running_brokers_simulator_is_asked() {
    let home = directory();
    let mut broker = Broker::of(
        Start::broker(&home)
            .set("BROKER_NGROK_API", "off")
            .set("BROKER_CLOUDFLARED_METRICS", "off"),
    );
    let simulator = broker.process.stdout.line("simulator listening on ");
    let start = || {
        Start::command(home.path(), &["check", "--json"])
            .set("BROKER_OPS_BIND", broker.ops.trim_start_matches("http://"))
            .set("BROKER_SIMULATOR_BIND", "127.0.0.1:0")
            .set("BROKER_NGROK_API", "off")
            .set("BROKER_CLOUDFLARED_METRICS", "off")
    };
    Checked::of(start()).must("plaid_reachable", "ok", &[&simulator]);
    assert_eq!(broker.process.stop(), Some(0));
    let alone = Checked::of(start());
    alone.must("plaid_reachable", "ok", &["http://127.0.0.1:"]);
    assert!(!alone.output.contains(&simulator), "{}", alone.output);
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
        .must(
            "store_writable",
            "skipped",
            &["open in another process", "BROKER_CONTROL_SOCKET"],
        )
        .must("store_keys", "ok", &["open all 1 stored"])
        .must("port", "ok", &["answers on"])
        .must("version", "ok", &["0.1.0"])
        .must("public_url_answers", "ok", &["This broker"]);
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
        &[
            "00000000000000000000000a",
            "Correct PLAID_CLIENT_ID",
            "DATABASE_URL",
        ],
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
