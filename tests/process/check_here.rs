//! `check` and this machine: the store beside a running broker, the keys, the port.

use plaid_token_broker::simulator::CLIENT_ID;

use crate::check::{Checked, broker_on, check};
use crate::flow::Plaid;
use crate::harness::{Start, directory};
use crate::stand_in::{free_port, listen};

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
