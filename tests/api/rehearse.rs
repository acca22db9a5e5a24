//! The set-up page's rehearsal: for admins, one at a time, told line by line, with nothing left behind.

use std::time::{Duration, Instant};

use plaid_token_broker::doctor::rehearsal::HEADER;
use plaid_token_broker::simulator;
use plaid_token_broker::telemetry::audit::{Actor, Origin};
use serde_json::Value;

use crate::harness::{Answer, Setup, TestBroker};
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
    let recorded = broker.request_log.entries();
    assert!(
        !recorded.is_empty() && recorded.iter().all(|entry| entry.rehearsal),
        "its wrong secret is nobody's mistake: {recorded:?}"
    );
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
async fn a_callback_that_was_allowed_on_the_page_is_rehearsed() {
    let broker = TestBroker::start_as(Setup {
        settings: &[("PLAID_REDIRECT_URI", "")],
        plaid: Some(simulator::Options::default()),
        ..Setup::default()
    })
    .await;
    let callback = "https://idp.kore.com/workflows/callback";
    let origin = Origin::actor(Actor::Admin);
    let allowed = broker
        .app
        .allow_redirect_uri(simulator::CLIENT_ID, callback, origin)
        .await;
    assert!(allowed.unwrap());
    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let proof = proof_of(&broker, &admin);
    let request = broker
        .post(PATH)
        .header("cookie", admin.cookie_header())
        .header("sec-fetch-site", "same-origin")
        .header("x-broker-admin", &proof);
    let mut response = request.send().await.unwrap();
    let mut told = String::new();
    while !told.contains("start Plaid Link") {
        let chunk = response.chunk().await.unwrap().expect("more steps");
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    let opened = format!("open the authorization URL for {callback}");
    let step = told.lines().find(|line| line.contains(&opened)).expect(&opened);
    assert!(step.contains(r#""outcome":"ok""#), "{told}");
}

#[tokio::test]
async fn nobody_can_keep_a_request_out_of_the_request_log() {
    let broker = TestBroker::start().await;
    let ask = async |label: bool, n: u32| {
        let id = format!("client-{n}");
        let mut request = broker.token_request(&[("code", "made-up"), ("client_id", &id)]);
        if label {
            request = request.header(HEADER, "1");
        }
        assert_eq!(Answer::of(request).await.status, 401);
    };
    ask(false, 0).await;
    for n in 0..60 {
        ask(true, n).await;
    }
    let entries = broker.request_log.entries();
    let labelled = |label: bool| entries.iter().filter(|entry| entry.rehearsal == label).count();
    assert_eq!(labelled(false), 1, "the label pushes nothing else out");
    assert_eq!(labelled(true), 1);
    let counted: u32 = entries.iter().map(|entry| entry.count.0).sum();
    assert_eq!(counted, 61, "and hides nothing");

    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let page = Answer::of(broker.get("/setup").header("cookie", admin.cookie_header())).await;
    assert_eq!(
        page.body.matches("data-client=\"rehearsal\"").count(),
        1,
        "{}",
        page.body
    );
    assert_eq!(
        page.body.matches("data-client=\"unknown\"").count(),
        1,
        "{}",
        page.body
    );
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
