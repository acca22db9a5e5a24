#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
use http::StatusCode;

use super::*;
use crate::clock::Timestamp;
use crate::http::limits::site;
use crate::request_log::{RequestLog, Update};

fn log() -> RequestLog {
    RequestLog::new(true)
}

fn entry(endpoint: Endpoint, client: Option<&str>, words: &str) -> Entry {
    let mut entry = Entry::new(endpoint, Timestamp::from_millis(1));
    entry.client = client.map(str::to_owned);
    entry.refused(StatusCode::BAD_REQUEST, "invalid_request", words, None);
    entry
}

/// A refused request of this client (none: a stranger) with these words.
fn refuse(log: &RequestLog, endpoint: Endpoint, client: Option<&str>, words: &str) {
    log.write(entry(endpoint, client, words));
}

fn words(log: &RequestLog) -> Vec<String> {
    log.entries().iter().map(|entry| entry.words.clone()).collect()
}

#[test]
fn a_shelf_holds_its_last_entries() {
    let log = log();
    for n in 0..100 {
        refuse(&log, Endpoint::Token, Some("a"), &n.to_string());
    }
    let kept = words(&log);
    assert_eq!(kept.len(), PER_SHELF);
    assert_eq!(kept.last().unwrap(), "99");
}

#[test]
fn strangers_push_out_nothing_of_a_client() {
    let log = log();
    refuse(&log, Endpoint::Authorization, Some("a"), "its browser");
    let mut proven = entry(Endpoint::Token, Some("a"), "");
    proven.proven = true;
    proven.good(StatusCode::OK, "its token request");
    log.write(proven);
    for n in 0..500 {
        refuse(&log, Endpoint::Authorization, None, &n.to_string());
        refuse(&log, Endpoint::Token, None, &n.to_string());
        // Who knows the client's id and not its secret is still no client.
        refuse(&log, Endpoint::Token, Some("a"), &n.to_string());
        let mut rehearsed = entry(Endpoint::Token, Some("a"), &n.to_string());
        rehearsed.rehearsal = true;
        log.write(rehearsed);
    }
    let kept = words(&log);
    assert!(kept.contains(&"its browser".to_owned()) && kept.contains(&"its token request".to_owned()));
    assert_eq!(kept.len(), 2 + 4 * PER_SHELF);
}

#[test]
fn many_clients_cost_no_more_than_so_many_shelves() {
    let log = log();
    for n in 0..1000 {
        refuse(&log, Endpoint::Token, Some(&n.to_string()), "x");
    }
    assert_eq!(log.entries().len(), MAX_SHELVES);
    assert_eq!(log.entries().last().unwrap().client.as_deref(), Some("999"));
}

#[test]
fn what_is_refused_again_takes_one_place_and_is_counted() {
    let log = log();
    for _ in 0..3 {
        refuse(&log, Endpoint::Token, Some("a"), "the same");
    }
    refuse(&log, Endpoint::Token, Some("a"), "another");
    refuse(&log, Endpoint::Token, Some("a"), "the same");
    let entries = log.entries();
    let told: Vec<_> = entries
        .iter()
        .map(|e| (e.words.as_str(), e.count.0, e.id, e.number))
        .collect();
    assert_eq!(told, [("another", 1, 4, 4), ("the same", 4, 1, 5)]);
}

#[test]
fn switched_off_nothing_is_remembered() {
    let log = RequestLog::new(false);
    refuse(&log, Endpoint::Token, Some("a"), "x");
    assert!(log.entries().is_empty() && !log.is_on());
}

#[tokio::test]
async fn a_listener_is_told_all_once_and_goes_on_where_it_was() {
    let log = log();
    refuse(&log, Endpoint::Token, Some("a"), "before");
    let mut listener = log.listen().unwrap();
    assert!(matches!(listener.next().await, Some(Update::Reset)));
    let Some(Update::Entry(before)) = listener.next().await else {
        panic!("an entry")
    };
    assert_eq!(before.words, "before");
    let mark = listener.mark(&before);
    refuse(&log, Endpoint::Token, Some("a"), "after");
    let Some(Update::Entry(after)) = listener.next().await else {
        panic!("an entry")
    };
    assert_eq!(after.words, "after");
    drop(listener);

    refuse(&log, Endpoint::Token, Some("a"), "missed");
    let mut again = log.listen().unwrap().after(&mark);
    for expected in ["after", "missed"] {
        let Some(Update::Entry(entry)) = again.next().await else {
            panic!("an entry")
        };
        assert_eq!(entry.words, expected);
    }
    let mut of_another_run = log.listen().unwrap().after("0123456789ab.1");
    assert!(matches!(of_another_run.next().await, Some(Update::Reset)));
}

#[tokio::test]
async fn a_slow_listener_misses_nothing_that_is_kept() {
    let log = log();
    let mut listener = log.listen().unwrap();
    assert!(matches!(listener.next().await, Some(Update::Reset)));
    for n in 0..300 {
        let client = format!("c{}", n % 10);
        refuse(&log, Endpoint::Token, Some(&client), &n.to_string());
    }
    for expected in 0..300 {
        let Some(Update::Entry(entry)) = listener.next().await else {
            panic!("an entry")
        };
        assert_eq!(entry.words, expected.to_string());
    }
}

#[tokio::test]
async fn listeners_are_bounded_and_end_when_the_broker_stops() {
    let log = log();
    let mut listeners: Vec<_> = std::iter::from_fn(|| log.listen()).collect();
    assert_eq!(listeners.len(), 16);
    listeners.pop();
    let mut last = log.listen().unwrap();
    assert!(matches!(last.next().await, Some(Update::Reset)));
    log.close();
    assert!(last.next().await.is_none());
}

/// An authorization request from this address that is refused for its callback.
fn refuse_callback(log: &RequestLog, from: &str, uri: Option<&str>) {
    log.write(Entry {
        network: Some(site(from.parse().unwrap())),
        redirect_uri: uri.map(str::to_owned),
        ..entry(Endpoint::Authorization, Some("a"), "not listed")
    });
}

fn callbacks(log: &RequestLog) -> Vec<String> {
    let refused = log.refused_callbacks();
    refused
        .iter()
        .map(|entry| entry.redirect_uri.clone().unwrap())
        .collect()
}

#[test]
fn one_network_cannot_crowd_out_the_refused_callback_of_another() {
    let log = log();
    refuse_callback(&log, "203.0.113.1", Some("https://operators.example/"));
    for n in 0..500 {
        // One IPv6 network with many addresses counts once.
        let from = format!("2001:db8::{n:x}");
        refuse_callback(&log, &from, Some(&format!("https://{n}.example/")));
        log.write(Entry {
            words: n.to_string(),
            network: Some("203.0.113.1".parse().unwrap()),
            ..entry(Endpoint::Authorization, None, "")
        });
    }
    let kept = callbacks(&log);
    assert_eq!(kept.len(), 1 + PER_NETWORK);
    assert_eq!(kept[1], "https://operators.example/", "{kept:?}");
    assert_eq!(kept[0], "https://499.example/");
}

#[test]
fn networks_are_bounded() {
    let log = log();
    for n in 0..1000_u32 {
        let from = std::net::Ipv4Addr::from(n).to_string();
        refuse_callback(&log, &from, Some(&format!("https://{n}.example/")));
    }
    assert_eq!(callbacks(&log).len(), MAX_NETWORKS);
}
