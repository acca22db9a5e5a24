#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
use std::sync::Arc;

use http::StatusCode;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::request_log::{Record, Update};

fn record() -> Record {
    Record::new(true, Arc::new(ManualClock::at(Timestamp::from_millis(1))))
}

/// A refused request of this client (none: a stranger) with these words.
fn refuse(record: &Record, endpoint: Endpoint, client: Option<&str>, words: &str) {
    let mut attempt = record.attempt(endpoint);
    if let Some(client) = client {
        attempt.client(client);
    }
    attempt.refused(StatusCode::BAD_REQUEST, "invalid_request", words, None);
}

fn words(record: &Record) -> Vec<String> {
    record.entries().iter().map(|entry| entry.words.clone()).collect()
}

#[test]
fn a_shelf_holds_its_last_entries() {
    let record = record();
    for n in 0..100 {
        refuse(&record, Endpoint::Token, Some("a"), &n.to_string());
    }
    let kept = words(&record);
    assert_eq!(kept.len(), PER_SHELF);
    assert_eq!(kept.last().unwrap(), "99");
}

#[test]
fn strangers_push_out_nothing_of_a_client() {
    let record = record();
    refuse(&record, Endpoint::Authorization, Some("a"), "its browser");
    let mut proven = record.attempt(Endpoint::Token);
    proven.client("a");
    proven.proven();
    proven.good(StatusCode::OK, "its token request");
    for n in 0..500 {
        refuse(&record, Endpoint::Authorization, None, &n.to_string());
        refuse(&record, Endpoint::Token, None, &n.to_string());
        // Who knows the client's id and not its secret is still no client.
        refuse(&record, Endpoint::Token, Some("a"), &n.to_string());
    }
    let kept = words(&record);
    assert!(kept.contains(&"its browser".to_owned()) && kept.contains(&"its token request".to_owned()));
    assert_eq!(kept.len(), 2 + 3 * PER_SHELF);
}

#[test]
fn many_clients_cost_no_more_than_so_many_shelves() {
    let record = record();
    for n in 0..1000 {
        refuse(&record, Endpoint::Token, Some(&n.to_string()), "x");
    }
    assert_eq!(record.entries().len(), MAX_SHELVES);
    assert_eq!(record.entries().last().unwrap().client.as_deref(), Some("999"));
}

#[test]
fn what_is_refused_again_takes_one_place_and_is_counted() {
    let record = record();
    for _ in 0..3 {
        refuse(&record, Endpoint::Token, Some("a"), "the same");
    }
    refuse(&record, Endpoint::Token, Some("a"), "another");
    refuse(&record, Endpoint::Token, Some("a"), "the same");
    let entries = record.entries();
    let told: Vec<_> = entries
        .iter()
        .map(|e| (e.words.as_str(), e.count.0, e.id, e.number))
        .collect();
    assert_eq!(told, [("another", 1, 4, 4), ("the same", 4, 1, 5)]);
}

#[test]
fn a_request_that_is_dropped_has_its_entry() {
    let record = record();
    drop(record.attempt(Endpoint::Token));
    let entries = record.entries();
    assert_eq!(entries[0].status, None);
    assert!(entries[0].words.contains("went away"), "{}", entries[0].words);
}

#[test]
fn switched_off_nothing_is_remembered() {
    let record = Record::new(false, Arc::new(ManualClock::at(Timestamp::from_millis(1))));
    refuse(&record, Endpoint::Token, Some("a"), "x");
    assert!(record.entries().is_empty() && !record.is_on());
}

#[tokio::test]
async fn a_listener_is_told_all_once_and_goes_on_where_it_was() {
    let record = record();
    refuse(&record, Endpoint::Token, Some("a"), "before");
    let mut listener = record.listen().unwrap();
    assert!(matches!(listener.next().await, Some(Update::Reset)));
    let Some(Update::Entry(before)) = listener.next().await else {
        panic!("an entry")
    };
    assert_eq!(before.words, "before");
    let mark = listener.mark(&before);
    refuse(&record, Endpoint::Token, Some("a"), "after");
    let Some(Update::Entry(after)) = listener.next().await else {
        panic!("an entry")
    };
    assert_eq!(after.words, "after");
    drop(listener);

    refuse(&record, Endpoint::Token, Some("a"), "missed");
    let mut again = record.listen().unwrap().after(&mark);
    for expected in ["after", "missed"] {
        let Some(Update::Entry(entry)) = again.next().await else {
            panic!("an entry")
        };
        assert_eq!(entry.words, expected);
    }
    let mut of_another_run = record.listen().unwrap().after("0123456789ab.1");
    assert!(matches!(of_another_run.next().await, Some(Update::Reset)));
}

#[tokio::test]
async fn a_slow_listener_misses_nothing_that_is_kept() {
    let record = record();
    let mut listener = record.listen().unwrap();
    assert!(matches!(listener.next().await, Some(Update::Reset)));
    for n in 0..300 {
        let client = format!("c{}", n % 10);
        refuse(&record, Endpoint::Token, Some(&client), &n.to_string());
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
    let record = record();
    let mut listeners: Vec<_> = std::iter::from_fn(|| record.listen()).collect();
    assert_eq!(listeners.len(), 16);
    listeners.pop();
    let mut last = record.listen().unwrap();
    assert!(matches!(last.next().await, Some(Update::Reset)));
    record.close();
    assert!(last.next().await.is_none());
}

/// An authorization request from this address that is refused for its callback.
fn refuse_callback(record: &Record, from: &str, uri: &str) {
    let mut attempt = record.attempt(Endpoint::Authorization);
    attempt.address(from.parse().unwrap());
    attempt.client("a");
    attempt.refused_callback(uri);
    attempt.refused(StatusCode::BAD_REQUEST, "invalid_request", "not listed", None);
}

fn callbacks(record: &Record) -> Vec<String> {
    let refused = record.refused_callbacks();
    refused
        .iter()
        .map(|entry| entry.redirect_uri.clone().unwrap())
        .collect()
}

#[test]
fn one_network_cannot_crowd_out_the_refused_callback_of_another() {
    let record = record();
    refuse_callback(&record, "203.0.113.1", "https://operators.example/");
    for n in 0..500 {
        // One IPv6 network with many addresses counts once.
        let from = format!("2001:db8::{n:x}");
        refuse_callback(&record, &from, &format!("https://{n}.example/"));
        let mut other = record.attempt(Endpoint::Authorization);
        other.address("203.0.113.1".parse().unwrap());
        other.refused(StatusCode::BAD_REQUEST, "invalid_request", n.to_string(), None);
    }
    let kept = callbacks(&record);
    assert_eq!(kept.len(), 1 + PER_NETWORK);
    assert_eq!(kept[1], "https://operators.example/", "{kept:?}");
    assert_eq!(kept[0], "https://499.example/");
}

#[test]
fn networks_are_bounded() {
    let record = record();
    for n in 0..1000_u32 {
        let from = std::net::Ipv4Addr::from(n).to_string();
        refuse_callback(&record, &from, &format!("https://{n}.example/"));
    }
    assert_eq!(callbacks(&record).len(), MAX_NETWORKS);
}
