//! Ports, directories, keys and stores: what is refused and why, and what a restart keeps.

use std::net::TcpListener;

use plaid_token_broker::simulator;

use crate::flow::{Broker, Plaid, code_of};
use crate::harness::{BINARY, Start, directory, is_root, mode, write};

/// 32 bytes each, in base64.
const ONE_KEY: &str = "one:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const ANOTHER_KEY: &str = "two:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

#[test]
fn a_taken_port_is_told_with_the_variable_that_names_it() {
    let home = directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port().to_string();
    let address = address.to_string();
    for (name, value) in [
        ("APP_PORT", &port),
        ("BROKER_OPS_BIND", &address),
        ("BROKER_SIMULATOR_BIND", &address),
    ] {
        let ended = Start::broker(&home).set(name, value).run();
        ended.must_say(1, &[name, &address]);
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
    Start::command(&home, &["simulate", "--bind", &address])
        .run()
        .must_say(1, &["--bind", &address]);
    assert!(
        !home.path().join("data").exists(),
        "no store was made for nothing"
    );
}

#[test]
fn a_data_directory_that_cannot_be_made_is_told_with_the_way_out() {
    let home = directory();
    write(&home, "file", "not a directory");
    let mut places = vec!["sqlite://file/store.db", "sqlite://file/deeper/store.db"];
    if cfg!(target_os = "linux") {
        places.push("sqlite:///proc/broker/store.db");
    }
    for place in places {
        let ended = Start::broker(&home).set("DATABASE_URL", place).run();
        ended.must_say(1, &["DATABASE_URL"]);
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
    // Where the store's file should be is a directory.
    std::fs::create_dir(home.path().join("folder")).unwrap();
    Start::broker(&home)
        .set("DATABASE_URL", "sqlite://folder")
        .run()
        .must_say(1, &["folder"]);
}

/// As in a container whose volume belongs to another user. Modes do not bind root, so there the program runs as
/// another user.
#[test]
fn a_directory_that_may_not_be_written_is_told_with_the_way_out() {
    use std::os::unix::fs::{PermissionsExt, chown};
    const NOBODY: u32 = 65534;
    let home = directory();
    let root = is_root(&home);
    let locked = home.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    let copy = home.path().join("program");
    if root {
        std::fs::copy(BINARY, &copy).unwrap();
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        chown(&locked, Some(NOBODY), None).unwrap();
    }
    let start = |place: &str| {
        let start = Start::broker(&home).set("DATABASE_URL", place);
        if root {
            start.by_user(copy.clone(), NOBODY)
        } else {
            start
        }
    };
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o500)).unwrap();
    for place in ["sqlite://locked/store.db", "sqlite://locked/deeper/store.db"] {
        let ended = start(place).run();
        ended.must_say(1, &["DATABASE_URL", "locked", "ermission denied"]);
    }
    // With the right to write it starts: the refusal was about nothing else.
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(
        Broker::of(start("sqlite://locked/store.db")).process.stop(),
        Some(0)
    );
    // A store that was made read-only.
    std::fs::set_permissions(locked.join("store.db"), PermissionsExt::from_mode(0o400)).unwrap();
    let ended = start("sqlite://locked/store.db").run();
    ended.must_say(1, &["store.db", "DATABASE_URL"]);
}

#[test]
fn keys_and_data_are_for_their_owner_alone() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    let data = home.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for file in std::fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        names.push(file.file_name().into_string().unwrap());
        assert_eq!(mode(file.path()), 0o600, "{names:?}");
    }
    assert!(names.contains(&"broker.key".to_owned()), "{names:?}");
    assert_eq!(broker.process.stop(), Some(0));

    std::fs::set_permissions(
        data.join("broker.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let ended = Start::broker(&home).run();
    ended.must_say(1, &["chmod 600 data/broker.key"]);
}

#[test]
fn without_the_key_that_sealed_the_store_it_does_not_start() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let broker = Broker::of(plaid.broker(&home));
    let tokens = broker.tokens(&plaid.url);
    drop(broker);

    let key = home.path().join("data/broker.key");
    let aside = home.path().join("aside.key");
    std::fs::rename(&key, &aside).unwrap();
    let ended = plaid.broker(&home).run();
    ended.must_say(
        1,
        &[
            "data/broker.key",
            "data/sandbox.db",
            "The way back",
            "BROKER_KEYS",
        ],
    );
    assert!(!key.exists(), "no fresh key was made over the loss");

    let ended = plaid.broker(&home).set("BROKER_KEYS", ONE_KEY).run();
    ended.must_say(
        1,
        &["the keys do not open the store", "data/sandbox.db", "BROKER_KEYS"],
    );
    assert!(!ended.stderr.contains("AQEBAQ"), "{ended:?}");

    // Both ways back that the message names.
    let content = std::fs::read_to_string(&aside).unwrap();
    let broker = Broker::of(plaid.broker(&home).set("BROKER_KEYS", content.trim()));
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    drop(broker);
    std::fs::rename(&aside, &key).unwrap();
    let broker = Broker::of(plaid.broker(&home));
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
}

#[test]
fn given_keys_can_be_rotated_and_make_no_key_file() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let broker = Broker::of(plaid.broker(&home).set("BROKER_KEYS", ONE_KEY));
    let tokens = broker.tokens(&plaid.url);
    assert!(!home.path().join("data/broker.key").exists());
    drop(broker);
    let both = format!("{ANOTHER_KEY},{ONE_KEY}");
    let broker = Broker::of(plaid.broker(&home).set("BROKER_KEYS", &both));
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    drop(broker);
    plaid
        .broker(&home)
        .set("BROKER_KEYS", ANOTHER_KEY)
        .run()
        .must_say(1, &["the keys do not open the store"]);
}

#[test]
fn a_store_of_another_plaid_account_is_refused_naming_both() {
    let home = directory();
    let place = ("DATABASE_URL", "sqlite://store.db");
    let mut simulated = Broker::of(Start::broker(&home).set(place.0, place.1));
    assert_eq!(simulated.process.stop(), Some(0));
    let plaid = Plaid::start(&home);
    let ended = plaid.broker(&home).set(place.0, place.1).run();
    ended.must_say(
        1,
        &["store.db", "simulator", "sandbox", simulator::CLIENT_ID, place.0],
    );

    let other = "0123456789abcdef01234567";
    let secret = "0123456789abcdef0123456789abcd";
    let ended = Start::broker(&home)
        .set("PLAID_CLIENT_ID", other)
        .set("PLAID_SECRET", secret)
        .set("PLAID_BASE_URL", &plaid.url)
        .set(place.0, place.1)
        .run();
    ended.must_say(1, &[other, simulator::CLIENT_ID, place.0]);
    assert!(!ended.stderr.contains(secret), "{ended:?}");
    // Its own account still opens it.
    let mut simulated = Broker::of(Start::broker(&home).set(place.0, place.1));
    assert_eq!(simulated.process.stop(), Some(0));
}

#[test]
fn two_processes_do_not_share_a_store() {
    let home = directory();
    let mut first = Broker::of(Start::broker(&home));
    let ended = Start::broker(&home).run();
    ended.must_say(
        1,
        &["in use by another process", "data/simulator.db", "DATABASE_URL"],
    );
    // Killed or stopped, the first one leaves no lock behind.
    first.process.kill();
    let mut next = Broker::of(Start::broker(&home));
    assert_eq!(next.process.stop(), Some(0));
    assert_eq!(Broker::of(Start::broker(&home)).process.stop(), Some(0));
}

#[test]
fn what_is_no_store_is_left_alone() {
    let home = directory();
    let notes = "these are somebody's notes and no database. ".repeat(200);
    write(&home, "notes.txt", &notes);
    let ended = Start::broker(&home)
        .set("DATABASE_URL", "sqlite://notes.txt")
        .run();
    ended.must_say(1, &["notes.txt", "not a store of this program", "DATABASE_URL"]);
    assert_eq!(
        std::fs::read_to_string(home.path().join("notes.txt")).unwrap(),
        notes
    );
}

#[test]
fn a_restart_keeps_everything() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let tokens = broker.tokens(&plaid.url);
    // One flow stands before its completion, one before its redemption.
    let before_completion = broker.open("state=one").unwrap();
    let before_redemption = broker.open("state=two").unwrap();
    let public_token = plaid.public_token();
    let landed = broker
        .complete(&before_redemption, &public_token)
        .unwrap()
        .reply()
        .unwrap();
    assert_eq!(broker.process.stop(), Some(0));

    let broker = Broker::of(plaid.broker(&home));
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    let again = broker
        .complete(&before_redemption, &public_token)
        .unwrap()
        .reply()
        .unwrap();
    // The issuer names the port, which is another one now; the code is the same.
    assert_eq!(code_of(&again), code_of(&landed));
    let redeemed = broker.token(&[("code", &code_of(&landed))]).unwrap();
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    let completed = broker
        .complete(&before_completion, &plaid.public_token())
        .unwrap()
        .reply()
        .unwrap();
    assert_eq!(
        broker.token(&[("code", &code_of(&completed))]).unwrap().status,
        200
    );
    assert_eq!(
        plaid.count("/item/public_token/exchange"),
        3,
        "one per public token"
    );
}
