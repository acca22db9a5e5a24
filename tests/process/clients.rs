//! Further clients: the tool that hashes their secrets, and the file that is read again on SIGHUP.

use std::io::Write as _;
use std::process::Stdio;

use tempfile::TempDir;

use crate::flow::Broker;
use crate::harness::{Ended, Start, directory, write};
use crate::web::get;

const MAKE: [&str; 2] = ["keys", "hash-client-secret"];

/// A client of this id, with the line that the tool printed.
fn client(id: &str, hash: &str) -> String {
    format!("[[client]]\nid = '{id}'\n{hash}\nredirect_uris = ['https://{id}.example/cb']\n")
}

/// A new secret and the line with its hash.
fn made(home: &TempDir) -> (String, String) {
    let ended = Start::command(home, &MAKE).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let [secret, hash] = lines.as_slice() else {
        panic!("two lines were expected: {ended:?}")
    };
    let (_, secret) = secret.rsplit_once(": ").unwrap();
    assert!(hash.starts_with("secret_hash = \"hmac-sha256:"), "{ended:?}");
    (secret.to_owned(), (*hash).to_owned())
}

/// Hashes what is written to standard input.
fn hashed(home: &TempDir, input: &str) -> Ended {
    let start = Start::command(home, &["keys", "hash-client-secret", "--stdin"]);
    let mut child = start.into_command().stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Whether the client is believed: a grant of nobody's is then the only thing wrong.
fn believes(broker: &Broker, id: &str, secret: &str) -> bool {
    let form = [
        ("refresh_token", "none"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let reply = broker.token(&form).unwrap();
    match reply.text("error").as_str() {
        "invalid_grant" => true,
        "invalid_client" => false,
        other => panic!("{other}: {reply:?}"),
    }
}

#[test]
fn sighup_takes_a_good_file_and_keeps_the_old_clients_with_a_bad_one() {
    let home = directory();
    let (shop, shop_hash) = made(&home);
    let (desk, desk_hash) = made(&home);
    assert_ne!(shop, desk);
    write(&home, "clients.toml", &client("shop", &shop_hash));
    let start = Start::broker(&home)
        .set("OAUTH_CLIENTS_FILE", "clients.toml")
        .set("RUST_LOG", "info");
    let mut broker = Broker::of(start);
    assert!(believes(&broker, "shop", &shop));
    assert!(!believes(&broker, "shop", &desk) && !believes(&broker, "desk", &desk));

    let two = client("shop", &shop_hash) + &client("desk", &desk_hash);
    write(&home, "clients.toml", &two);
    assert!(!believes(&broker, "desk", &desk), "not before it is told");
    broker.process.signal("HUP");
    broker
        .process
        .stderr
        .says("clients file reloaded\",\"clients\":3");
    assert!(believes(&broker, "desk", &desk) && believes(&broker, "shop", &shop));

    let wrong = client("desk", &desk_hash).replace("https", "http") + "isuser = 'x'\n";
    write(&home, "clients.toml", &(client("new", &shop_hash) + &wrong));
    broker.process.signal("HUP");
    broker.process.stderr.says("clients unchanged");
    let log = broker.process.stderr.text();
    for told in [
        "client 2 (desk), redirect_uris: use https",
        "client 2 (desk), isuser: is no key",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert!(believes(&broker, "desk", &desk) && believes(&broker, "shop", &shop));
    assert!(!believes(&broker, "new", &shop));
    // It is well, so its health check must not have it restarted, which would fail.
    let ops = broker.ops.strip_prefix("http://").unwrap().to_owned();
    let check = Start::command(&home, &["healthcheck"])
        .set("BROKER_OPS_BIND", &ops)
        .set("OAUTH_CLIENTS_FILE", "clients.toml")
        .run();
    assert_eq!(check.code, Some(0), "{check:?}");
    assert_eq!(get(&broker.ops, "/readyz").status, 200);

    write(&home, "clients.toml", &client("desk", &desk_hash));
    broker.process.signal("HUP");
    broker
        .process
        .stderr
        .says("clients file reloaded\",\"clients\":2");
    assert!(believes(&broker, "desk", &desk) && !believes(&broker, "shop", &shop));
    let log = broker.process.stderr.text();
    for secret in [&shop, &desk] {
        assert!(!log.contains(secret.as_str()), "{log}");
    }
    for hash in [&shop_hash, &desk_hash] {
        for part in hash.trim_end_matches('"').split(':').skip(1) {
            assert!(!log.contains(part), "{log}");
        }
    }
    assert_eq!(broker.process.stop(), Some(0));
}

/// A supervisor reloads the broker as soon as the file has changed, also one that it has only just started.
#[test]
fn sighup_while_it_starts_does_not_end_the_broker() {
    let home = directory();
    let (shop, hash) = made(&home);
    write(&home, "clients.toml", &client("shop", &hash));
    // The settings are being read: a pipe in place of .env holds that up.
    let path = home.path().join(".env");
    let pipe = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(pipe.success());
    let process = Start::broker(&home)
        .set("OAUTH_CLIENTS_FILE", "clients.toml")
        .spawn();
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    process.signal("HUP");
    std::fs::remove_file(&path).unwrap();
    pipe.write_all(b"RUST_LOG=info\n").unwrap();
    drop(pipe);
    let mut broker = Broker::from(process);
    // What the signal asked for is done.
    broker.process.stderr.says("clients file reloaded");
    assert!(believes(&broker, "shop", &shop));
    assert_eq!(broker.process.stop(), Some(0));

    // The store is being opened: its server says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://broker:hush@{}/broker", silent.local_addr().unwrap());
    let mut process = Start::broker(&home)
        .set("OAUTH_CLIENTS_FILE", "clients.toml")
        .set("DATABASE_URL", &url)
        .set("BROKER_KEYS", "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=")
        .spawn();
    let _asked = silent.accept().unwrap();
    process.signal("HUP");
    assert_eq!(process.stop(), Some(0), "by SIGTERM, and not by the first signal");
}

/// A closed terminal leaves no broker behind.
#[test]
fn without_a_clients_file_sighup_stops_the_broker() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    broker.process.signal("HUP");
    assert_eq!(broker.process.wait().code(), Some(0));
    broker.process.stderr.says("stopping on SIGHUP");
}

#[test]
fn a_bad_file_stops_the_start() {
    let home = directory();
    let (_, hash) = made(&home);
    let start = || Start::broker(&home).set("OAUTH_CLIENTS_FILE", "clients.toml");
    start()
        .run()
        .must_say(2, &["OAUTH_CLIENTS_FILE: the file cannot be read"]);
    let doubled = client("shop", &hash) + "[[client]]\nid = 'shop'\npublic = true\n";
    write(&home, "clients.toml", &doubled);
    let ended = start().run();
    ended.must_say(
        2,
        &[
            "2 problems in the settings:\n",
            "OAUTH_CLIENTS_FILE, client 2 (shop), id: choose another",
            "OAUTH_CLIENTS_FILE, client 2 (shop), redirect_uris: is missing",
        ],
    );
    assert!(ended.stdout.is_empty(), "{ended:?}");
    assert!(!home.path().join("data").exists(), "nothing was begun");
}

#[test]
fn a_secret_from_standard_input_is_hashed_and_not_repeated() {
    let home = directory();
    let secret = "a secret that somebody else has made";
    let (first, again) = (hashed(&home, &format!("{secret}\n")), hashed(&home, secret));
    assert_eq!(
        (first.code, again.code),
        (Some(0), Some(0)),
        "{first:?} {again:?}"
    );
    assert_ne!(first.stdout, again.stdout, "each has a salt of its own");
    assert!(!format!("{first:?}").contains(secret), "{first:?}");
    write(&home, "clients.toml", &client("shop", first.stdout.trim()));
    let mut broker = Broker::of(Start::broker(&home).set("OAUTH_CLIENTS_FILE", "clients.toml"));
    assert!(believes(&broker, "shop", secret));
    assert!(!believes(&broker, "shop", &format!("{secret}\n")));
    assert_eq!(broker.process.stop(), Some(0));

    hashed(&home, "short\n").must_say(2, &["--stdin: ", "at least 32 characters"]);
    hashed(&home, &"x".repeat(5000)).must_say(2, &["255"]);
    let argument = Start::command(&home, &[&MAKE[..], &[secret]].concat()).run();
    assert_eq!(argument.code, Some(2), "{argument:?}");
    assert!(argument.stdout.is_empty(), "{argument:?}");
}
