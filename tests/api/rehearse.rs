//! The set-up page's rehearsal: for admins, one at a time, told line by line, with nothing left behind.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Answer, TestBroker};
use crate::visitor::{Visitor, proof_of};

const PATH: &str = "/setup/rehearse";

#[tokio::test]
async fn an_admin_sees_each_step_and_nothing_is_left() {
    let broker = TestBroker::start().await;
    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let proof = proof_of(&broker, &admin);
    let request = || {
        broker
            .post(PATH)
            .header("cookie", admin.cookie_header())
            .header("sec-fetch-site", "same-origin")
            .header("x-broker-admin", &proof)
    };
    // Plaid prepares the data of a new Item for a while; the clock of the tests stands unless it is moved.
    let clock = broker.clock.clone();
    let moving = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.advance(Duration::from_secs(1));
        }
    });
    let mut first = request().send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["content-type"], "application/x-ndjson");
    let begun = first
        .chunk()
        .await
        .unwrap()
        .expect("a first line before the last one is known");
    let second = Answer::of(request()).await;
    assert_eq!((second.status, second.error().as_str()), (409, "not_rehearsed"));

    let rest = first.text().await.unwrap();
    let told = String::from_utf8(begun.to_vec()).unwrap() + &rest;
    let mut lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.pop().unwrap()["verdict"], "ok", "{told}");
    assert!(lines.len() > 25, "{told}");
    for step in &lines {
        assert_eq!(step["outcome"], "ok", "{step}");
    }
    for secret in [
        "access-",
        "public-",
        "ptb_",
        plaid_token_broker::simulator::SECRET,
    ] {
        assert!(!told.contains(secret), "{told}");
    }
    moving.abort();
    assert_eq!(broker.simulator.items().len(), 0, "an Item is left behind");
    assert_eq!(
        request().send().await.unwrap().status(),
        200,
        "the place is free again"
    );
}

#[tokio::test]
async fn whoever_closes_the_page_leaves_nothing_behind() {
    let broker = TestBroker::start().await;
    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let proof = proof_of(&broker, &admin);
    let request = broker
        .post(PATH)
        .header("cookie", admin.cookie_header())
        .header("sec-fetch-site", "same-origin")
        .header("x-broker-admin", &proof);
    drop(request.send().await.unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    let removed = |path: &str| {
        broker
            .simulator
            .requests()
            .iter()
            .filter(|call| call.path == path)
            .count()
    };
    while removed("/item/remove") < 7 {
        assert!(Instant::now() < deadline, "it was not brought to its end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(broker.simulator.items().len(), 0);
}

#[tokio::test]
async fn it_is_for_admins_and_their_own_page() {
    let broker = TestBroker::start().await;
    assert_eq!(Answer::of(broker.post(PATH)).await.status, 401);
    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let proof = proof_of(&broker, &admin);
    for (site, proof) in [
        ("cross-site", proof.as_str()),
        ("same-origin", ""),
        ("same-origin", "x"),
    ] {
        let request = broker
            .post(PATH)
            .header("cookie", admin.cookie_header())
            .header("sec-fetch-site", site)
            .header("x-broker-admin", proof);
        assert_eq!(Answer::of(request).await.status, 403, "{site} {proof}");
    }
    assert!(broker.simulator.requests().is_empty(), "nothing was tried");
}
