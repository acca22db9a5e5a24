//! A page view stores nothing: the tab keeps the sealed request, and what the person does brings it.

use std::time::Duration;

use plaid_token_broker::simulator::Fault;
use plaid_token_broker::store::model::{AuditQuery, AuthorizationId};
use plaid_token_broker::telemetry::audit::Flush;
use serde_json::json;

use crate::harness::{Answer, Browser, CALLBACK, TestBroker, query_value};
use crate::page_calls::EXCHANGE;

const LINK_TOKEN: &str = "/link/token/create";

fn id_of(browser: &Browser<'_>) -> AuthorizationId {
    AuthorizationId(browser.handle.split('_').nth(2).unwrap().parse().unwrap())
}

/// The events of the audit log.
async fn events(broker: &TestBroker) -> Vec<String> {
    broker.app.audit.flush(Flush::All).await.unwrap();
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let log = broker.app.store.audit(query).await.unwrap();
    log.into_iter()
        .map(|record| record.event.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn a_page_view_writes_nothing_and_the_first_link_token_writes_once() {
    let broker = TestBroker::start().await;
    Browser::open(&broker, "").await;
    Browser::open(&broker, "oauth/authorize?state=s").await;
    let browser = Browser::open(&broker, "?state=s").await;
    let id = id_of(&browser);
    assert!(broker.app.store.authorization(id).await.unwrap().is_none());
    assert_eq!(events(&broker).await, Vec::<String>::new());

    let (first, second) = tokio::join!(browser.create_link_token(), browser.create_link_token());
    assert_eq!((first.status, second.status), (200, 200));
    assert!(broker.app.store.authorization(id).await.unwrap().is_some());
    assert_eq!(events(&broker).await, ["authorization.opened"]);
    // The transaction is stored, so the handle is enough.
    let without = Answer::of(browser.call("/api/create_link_token")).await;
    assert_eq!(without.status, 200, "{}", without.body);
}

#[tokio::test]
async fn a_page_outlives_a_restart_before_anything_is_stored() {
    let broker = TestBroker::start().await;
    let opened = Browser::open(&broker, "?state=a%2Bb").await;
    let (handle, request, cookies) = (
        opened.handle.clone(),
        opened.request.clone(),
        opened.cookies.clone(),
    );
    let dir = broker.dir.clone();
    assert!(broker.stop().await);

    let broker = TestBroker::start_in(dir, &[]).await;
    let mut browser = Browser::open(&broker, "?state=other").await;
    (browser.handle, browser.request, browser.cookies) = (handle, request, cookies);
    let landed = browser.complete(&broker.public_token().await).await;
    assert!(landed.text("redirect_to").ends_with("&state=a%2Bb"));
}

#[tokio::test]
async fn a_request_is_good_with_its_own_handle_and_cookie_and_for_four_hours() {
    let broker = TestBroker::start().await;
    let one = Browser::open(&broker, "?state=one").await;
    let two = Browser::open(&broker, "?state=two").await;
    for wrong in [
        two.request.clone(),
        "A".to_owned(),
        String::new(),
        one.request.replace('A', "B"),
    ] {
        if wrong == one.request {
            continue;
        }
        for (path, body) in [
            ("/api/create_link_token", json!({ "request": wrong })),
            ("/api/link_exit", json!({ "request": wrong, "cancel": true })),
        ] {
            let answer = Answer::of(one.call(path).json(&body)).await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (403, "unknown_transaction")
            );
        }
    }
    for odd in [json!([]), json!({ "request": 1 }), json!("x")] {
        let answer = Answer::of(one.call("/api/create_link_token").json(&odd)).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "bad_request"));
    }
    broker.clock.advance(Duration::from_secs(4 * 3600));
    let late = one.create_link_token().await;
    assert_eq!((late.status, late.error().as_str()), (409, "transaction_over"));
    assert_eq!(broker.simulator.count(LINK_TOKEN), 0);
    assert_eq!(events(&broker).await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_exchanged_for_a_page_that_never_opened_link() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let body = crate::harness::success(&broker.public_token().await);
    let answer = Answer::of(browser.call("/api/set_access_token").json(&body)).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (403, "unknown_transaction")
    );
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
}

#[tokio::test]
async fn cancelled_before_link_was_opened_the_page_is_used_up() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=a%2Bb").await;
    let cancelled = browser.cancel().await.text("redirect_to");
    assert!(
        cancelled.starts_with(&format!("{CALLBACK}?error=access_denied&")),
        "{cancelled}"
    );
    assert!(cancelled.ends_with("&state=a%2Bb"), "{cancelled}");
    assert_eq!(browser.cancel().await.text("redirect_to"), cancelled);
    assert_eq!(browser.create_link_token().await.error(), "transaction_over");
    let completed = browser.complete(&broker.public_token().await).await;
    assert_eq!(completed.error(), "transaction_over");
    assert_eq!(events(&broker).await, ["authorization.cancelled"]);
    assert_eq!(
        (
            broker.simulator.count(LINK_TOKEN),
            broker.simulator.count(EXCHANGE)
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn one_authorization_gets_twenty_link_tokens() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    for number in 0..20 {
        assert_eq!(browser.create_link_token().await.status, 200, "{number}");
    }
    let refused = browser.create_link_token().await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (409, "too_many_link_tokens")
    );
    assert_eq!(refused.text("next"), "reload");
    assert_eq!(broker.simulator.count(LINK_TOKEN), 20);
    // What Link was opened with can still succeed.
    assert_eq!(browser.complete(&broker.public_token().await).await.status, 200);
}

#[tokio::test]
async fn an_outage_of_plaid_uses_up_no_link_tokens() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    for number in 0..25 {
        let fault = Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR");
        broker.simulator.enqueue(LINK_TOKEN, fault);
        assert_eq!(browser.create_link_token().await.status, 503, "{number}");
    }
    // The first one stays counted.
    for number in 1..20 {
        assert_eq!(browser.create_link_token().await.status, 200, "{number}");
    }
    assert_eq!(browser.create_link_token().await.error(), "too_many_link_tokens");
}

#[tokio::test]
async fn a_script_of_another_site_gets_no_page() {
    let broker = TestBroker::start().await;
    for (site, status) in [("cross-site", 400), ("same-site", 400), ("same-origin", 200)] {
        let request = broker
            .get("/?state=s")
            .header("sec-fetch-dest", "empty")
            .header("sec-fetch-site", site);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "{site}");
        assert_eq!(answer.headers.contains_key("set-cookie"), status == 200, "{site}");
    }
}

#[tokio::test]
async fn a_long_state_is_refused_at_the_client_without_being_sent_back() {
    let broker = TestBroker::start().await;
    let longest = "s".repeat(4096);
    let browser = Browser::open(&broker, &format!("?state={longest}")).await;
    // Proxies limit a header to 8 KB: what grows with the state goes into the body.
    assert!(browser.handle.len() + browser.cookie_header().len() < 300);
    let landed = browser
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    assert_eq!(query_value(&landed, "state"), Some(longest.clone()));
    let refused = Answer::of(broker.get(&format!("/?state={longest}s"))).await;
    let location = refused.header("location").unwrap();
    assert_eq!(refused.status, 303);
    assert!(
        location.contains("error=invalid_request") && location.contains("4096"),
        "{location}"
    );
    assert!(!location.contains("sss"), "{location}");
}

#[tokio::test]
async fn refused_authorization_requests_are_limited_like_others() {
    let broker = TestBroker::start().await;
    for query in [
        "client_id=nobody",
        "redirect_uri=https://evil.example/",
        "response_type=token",
    ] {
        let from = format!("203.0.113.{}", query.len());
        let ask = || broker.get(&format!("/?{query}")).header("x-forwarded-for", &from);
        let mut answers = 0;
        let limited = loop {
            let answer = Answer::of(ask()).await;
            answers += 1;
            if answer.status == 429 {
                break answer;
            }
            assert!(answers < 5000, "{query}");
        };
        assert!(
            answers > 300 && limited.headers.contains_key("retry-after"),
            "{query}: {answers}"
        );
    }
}
