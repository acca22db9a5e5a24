//! The embedded simulator goes on after a restart, as the store does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plaid_token_broker::simulator;
use serde_json::json;
use tempfile::TempDir;

use crate::flow::{Broker, CALLBACK};
use crate::harness::{PATIENCE, Start, directory, mode};
use crate::web::{Reply, post_json};

/// A broker without Plaid keys, and its simulator's address.
fn start(home: &TempDir) -> (Broker, String) {
    let broker = Broker::of(Start::broker(home).set("PLAID_REDIRECT_URI", CALLBACK));
    let plaid = broker.process.stdout.line("simulator listening on ");
    (broker, plaid)
}

fn state_file(home: &TempDir) -> PathBuf {
    home.path().join("data/simulator.db.simulator.json")
}

/// Waits until the file has this text: it is saved at intervals.
#[track_caller]
fn saved_with(file: &Path, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !fs::read_to_string(file).is_ok_and(|saved| saved.contains(text)) {
        assert!(Instant::now() < deadline, "the state was not saved");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn accounts(plaid: &str, access_token: &str) -> Reply {
    let body = json!({
        "client_id": simulator::CLIENT_ID, "secret": simulator::SECRET, "access_token": access_token,
    });
    post_json(plaid, "/accounts/get", &body).unwrap()
}

#[test]
fn after_a_stop_and_after_a_kill_connections_still_work() {
    let home = directory();
    let (mut broker, plaid) = start(&home);
    let tokens = broker.tokens(&plaid);
    let (refresh, access) = (tokens.text("refresh_token"), tokens.text("access_token"));
    let before = accounts(&plaid, &access).json()["accounts"].clone();
    assert_eq!(broker.process.stop(), Some(0));
    assert_eq!(mode(state_file(&home)), 0o600);

    let (mut broker, plaid) = start(&home);
    broker.must_refresh(&refresh, &access);
    assert_eq!(accounts(&plaid, &access).json()["accounts"], before);
    let second = broker.tokens(&plaid);
    let (refresh_2, access_2) = (second.text("refresh_token"), second.text("access_token"));
    saved_with(&state_file(&home), &access_2);
    broker.process.kill();

    let (broker, plaid) = start(&home);
    for (refresh, access) in [(&refresh, &access), (&refresh_2, &access_2)] {
        broker.must_refresh(refresh, access);
        assert_eq!(accounts(&plaid, access).status, 200);
    }
}

#[test]
fn where_the_state_is_missing_or_broken_the_simulator_is_named_and_not_plaid() {
    let home = directory();
    let (mut broker, plaid) = start(&home);
    let refresh = broker.tokens(&plaid).text("refresh_token");
    assert_eq!(broker.process.stop(), Some(0));
    for content in [
        None,
        Some("{\"time\":"),
        Some("{\"time\":1,\"snapshot\":{\"version\":0}}"),
    ] {
        match content {
            None => fs::remove_file(state_file(&home)).unwrap(),
            Some(content) => fs::write(state_file(&home), content).unwrap(),
        }
        let (mut broker, _) = start(&home);
        let refused = broker.token(&[("refresh_token", &refresh)]).unwrap();
        assert_eq!(
            (refused.status, refused.text("error").as_str()),
            (400, "invalid_grant")
        );
        let description = refused.text("error_description");
        assert!(
            description.contains("simulator") && !description.contains("Plaid"),
            "{description}"
        );
        assert_eq!(broker.process.stop(), Some(0));
        let log = broker.process.stderr.text();
        assert!(log.contains("has forgotten the connections"), "{log}");
        assert_eq!(log.contains("cannot be used"), content.is_some(), "{log}");
    }
}
