//! Several brokers on one `PostgreSQL` database: what one does the others know, and what one answered outlives it.

use std::time::{Duration, Instant};

use plaid_token_broker::simulator;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::admin::allow_on_page;
use crate::check::Checked;
use crate::flow::{Broker, Plaid, code_of};
use crate::harness::{Ended, PATIENCE, Start, directory, write};
use crate::web::{encode, get, send};

pub const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// A database of the cluster that `TEST_POSTGRES_URL` names, which goes with the value.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    fn make() -> Self {
        let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL, which tests/run sets");
        let name = format!("ptb_{}", uuid::Uuid::new_v4().as_simple());
        on_server(&server, &format!("CREATE DATABASE {name}"));
        Self { server, name }
    }

    pub fn url(&self) -> String {
        format!("{}/{}", self.server.rsplit_once('/').unwrap().0, self.name)
    }

    fn password(&self) -> String {
        let (front, _) = self.server.split_once('@').unwrap();
        front.rsplit_once(':').unwrap().1.to_owned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        on_server(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn on_server(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    });
}

/// Everything that shares the database.
pub struct House {
    pub home: TempDir,
    pub plaid: Plaid,
    pub database: Database,
}

impl House {
    pub fn new() -> Self {
        let home = directory();
        let plaid = Plaid::start(&home);
        Self {
            home,
            plaid,
            database: Database::make(),
        }
    }

    pub fn broker(&self, keys: &str) -> Broker {
        let start = self.plaid.broker(&self.home);
        Broker::of(
            start
                .set("DATABASE_URL", &self.database.url())
                .set("BROKER_KEYS", keys),
        )
    }

    fn command(&self, keys: &str, arguments: &[&str]) -> Ended {
        let ended = self.start(keys, arguments).run();
        self.tells_no_password(&format!("{ended:?}"));
        ended
    }

    fn start(&self, keys: &str, arguments: &[&str]) -> Start {
        Start::command(self.home.path(), arguments)
            .set("PLAID_CLIENT_ID", simulator::CLIENT_ID)
            .set("PLAID_SECRET", simulator::SECRET)
            .set("PLAID_BASE_URL", &self.plaid.url)
            .set("DATABASE_URL", &self.database.url())
            .set("BROKER_KEYS", keys)
    }

    fn tells_no_password(&self, text: &str) {
        assert!(!text.contains(&self.database.password()), "the password is told");
    }
}

#[track_caller]
fn refuses(broker: &Broker, refresh_token: &str) {
    let reply = broker.token(&[("refresh_token", refresh_token)]).unwrap();
    assert_eq!(
        (reply.status, reply.text("error").as_str()),
        (400, "invalid_grant")
    );
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn two_brokers_and_the_command_line_share_one_database() {
    let house = House::new();
    let mut first = house.broker(OLD);
    // The second one reads its URL from a file.
    let file = house.home.path().join("database_url");
    write(
        &house.home,
        "database_url",
        &format!("{}\n", house.database.url()),
    );
    let start = house.plaid.broker(&house.home);
    let mut second = Broker::of(
        start
            .set("DATABASE_URL_FILE", file.to_str().unwrap())
            .set("BROKER_KEYS", OLD),
    );

    // Begun at one, completed and redeemed at the other; the code is used up at both.
    let tab = first.open("state=s").unwrap();
    let sent = second.complete(&tab, &house.plaid.public_token()).unwrap();
    let code = code_of(&sent.reply().unwrap());
    let tokens = second.token(&[("code", &code)]).unwrap();
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let replayed = first.token(&[("code", &code)]).unwrap();
    assert_eq!(replayed.text("error"), "invalid_grant");
    let (refresh, access) = (tokens.text("refresh_token"), tokens.text("access_token"));
    for broker in [&first, &second] {
        broker.must_refresh(&refresh, &access);
        let ready = get(&broker.ops, "/readyz");
        assert_eq!(ready.status, 200, "{ready:?}");
    }

    // Revoked at one, refused at the other, although that one has an answer about its health that is still fresh.
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let form = encode(&[
        ("token", &refresh),
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ]);
    let sent = send(&first.url, "POST", "/oauth/revoke", &headers, &form).unwrap();
    assert_eq!(sent.reply().unwrap().status, 200);
    refuses(&second, &refresh);
    house.plaid.called("/item/remove", 1);

    // The command line goes to the database itself, and both know at once what it did.
    let tokens = first.tokens(&house.plaid.url);
    let (refresh, item) = (tokens.text("refresh_token"), tokens.text("item_id"));
    second.must_refresh(&refresh, &tokens.text("access_token"));
    let listed = house.command(OLD, &["connections", "list", "--json", "--state", "live"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let ended = house.command(OLD, &["connections", "revoke", &item, "--yes"]);
    assert!(
        ended.stdout.contains("1 connections ended, 1 grants"),
        "{ended:?}"
    );
    refuses(&first, &refresh);
    refuses(&second, &refresh);
    let log = house.command(OLD, &["connections", "audit", "--limit", "100"]);
    assert!(log.code == Some(0) && log.stdout.contains("operator"), "{log:?}");

    // A callback that is allowed at one is good at the other soon.
    let opens = |broker: &Broker| {
        let sent = send(
            &broker.url,
            "GET",
            "/?redirect_uri=https%3A%2F%2Fa.example%2Fcb",
            &[],
            "",
        )
        .unwrap();
        sent.reply().unwrap().status == 200
    };
    assert!(!opens(&first) && !opens(&second));
    let link = house.start(OLD, &["admin-link"]);
    let link = link.set("BROKER_OPS_BIND", first.ops.trim_start_matches("http://"));
    allow_on_page(&first.url, &link.run(), "https://a.example/cb");
    let deadline = Instant::now() + PATIENCE;
    while !(opens(&first) && opens(&second)) {
        assert!(Instant::now() < deadline, "it is not taken over");
        std::thread::sleep(Duration::from_millis(100));
    }

    // A check beside them knows the broker by its answer, as no lock tells of it.
    let port = second.url.rsplit_once(':').unwrap().1;
    let check = house.start(OLD, &["check", "--json"]).set("APP_PORT", port);
    let checked = Checked::of(check.set("BROKER_OPS_BIND", "127.0.0.1:0"));
    house.tells_no_password(&checked.output);
    checked
        .must("store_keys", "ok", &["the keys open all 2 stored connections"])
        .must("store_writable", "ok", &["The running broker wrote and read"])
        .must("port", "ok", &["The broker with this store answers"]);
    let copy = house.home.path().join("copy.db");
    let backup = house.command(OLD, &["backup", copy.to_str().unwrap()]);
    backup.must_say(1, &["PostgreSQL", "pg_dump"]);
    let restore = house.command(OLD, &["restore", copy.to_str().unwrap()]);
    restore.must_say(1, &["PostgreSQL", "pg_restore"]);
    // The folder is there for the control sockets, and for nothing that holds connections.
    assert!(!copy.exists());
    for entry in std::fs::read_dir(house.home.path().join("data")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains(".db") && !name.contains(".key"), "{name}");
    }

    for broker in [&mut first, &mut second] {
        assert_eq!(broker.process.stop(), Some(0));
        house.tells_no_password(&broker.process.stdout.text());
        house.tells_no_password(&broker.process.stderr.text());
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn keys_are_changed_while_brokers_run() {
    let house = House::new();
    let mut first = house.broker(OLD);
    let tokens = first.tokens(&house.plaid.url);
    let (refresh, access) = (tokens.text("refresh_token"), tokens.text("access_token"));
    // First all can open with the new key, then it seals, then all is sealed anew.
    let mut second = house.broker(&format!("{OLD},{NEW}"));
    assert_eq!(first.process.stop(), Some(0));
    let mut first = house.broker(&format!("{NEW},{OLD}"));
    let newer = first.tokens(&house.plaid.url);
    second.must_refresh(&newer.text("refresh_token"), &newer.text("access_token"));
    let rotated = house.command(&format!("{NEW},{OLD}"), &["keys", "rotate"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(
        rotated.stdout.contains("2 values were sealed again"),
        "{rotated:?}"
    );
    for broker in [&first, &second] {
        broker.must_refresh(&refresh, &access);
    }
    for broker in [&mut first, &mut second] {
        assert_eq!(broker.process.stop(), Some(0));
    }
    let alone = house.broker(NEW);
    alone.must_refresh(&refresh, &access);
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn what_was_answered_outlives_the_broker_that_answered() {
    let house = House::new();
    let second = house.broker(OLD);
    for _ in 0..3 {
        let mut first = house.broker(OLD);
        let tab = first.open("state=s").unwrap();
        let landed = first
            .complete(&tab, &house.plaid.public_token())
            .unwrap()
            .reply()
            .unwrap();
        let tokens = first.tokens(&house.plaid.url);
        first.process.kill();
        second.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
        let redeemed = second.token(&[("code", &code_of(&landed))]).unwrap();
        assert_eq!(redeemed.status, 200, "{redeemed:?}");
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn a_start_that_the_server_refuses_says_what_to_do() {
    let house = House::new();
    let without_keys = house
        .plaid
        .broker(&house.home)
        .set("DATABASE_URL", &house.database.url())
        .run();
    without_keys.must_say(2, &["BROKER_KEYS", "plaid-token-broker keys generate"]);
    let wrong = house.database.url().replace(&house.database.password(), "hush");
    let refused = house
        .plaid
        .broker(&house.home)
        .set("DATABASE_URL", &wrong)
        .set("BROKER_KEYS", OLD)
        .run();
    refused.must_say(1, &["password authentication failed", "check user and password"]);
    assert!(!refused.stderr.contains("hush"), "{refused:?}");
    let nothing = house.command(OLD, &["connections", "list"]);
    nothing.must_say(1, &["there is no store", &house.database.name]);
}

/// The database's client tells each statement with its values at DEBUG; it is not let.
#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn no_log_tells_what_goes_into_statements() {
    let house = House::new();
    for filter in ["trace", "info,tokio_postgres=trace"] {
        let start = house.plaid.broker(&house.home);
        let mut broker = Broker::of(
            start
                .set("DATABASE_URL", &house.database.url())
                .set("BROKER_KEYS", OLD)
                .set("RUST_LOG", filter),
        );
        let tab = broker.open("state=a-state-to-find").unwrap();
        let sent = broker.complete(&tab, &house.plaid.public_token()).unwrap();
        let code = code_of(&sent.reply().unwrap());
        assert_eq!(broker.token(&[("code", &code)]).unwrap().status, 200);
        assert_eq!(broker.process.stop(), Some(0));
        let log = broker.process.stderr.text();
        for word in [
            "a-state-to-find",
            "executing statement",
            "with parameters",
            "INSERT INTO",
        ] {
            assert!(!log.contains(word), "{filter}: {word}");
        }
        assert!(log.contains("connection made"), "{filter}");
        house.tells_no_password(&log);
    }
}

/// A database server that accepts and says nothing holds up the start, and not its end.
#[test]
fn a_start_that_waits_for_its_database_can_be_stopped() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://broker:hush@{}/broker", silent.local_addr().unwrap());
    let home = directory();
    let mut broker = Start::broker(&home)
        .set("DATABASE_URL", &url)
        .set("BROKER_KEYS", NEW)
        .spawn();
    // It is at the store once it has asked there.
    let _asked = silent.accept().unwrap();
    assert_eq!(broker.stop(), Some(0));
}
