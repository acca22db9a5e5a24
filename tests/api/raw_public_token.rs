//! Raw Plaid public tokens at the token endpoint, as the Kore.ai guide's client sends them.

use std::time::Duration;

use plaid_token_broker::simulator::{CLIENT_ID, Fault, SECRET};

use crate::bad_days::html;
use crate::harness::{Answer, Browser, TestBroker};
use crate::page_calls::EXCHANGE;
use crate::token::{SECOND, with_clients};

const OWN: [(&str, &str); 2] = [("client_id", CLIENT_ID), ("client_secret", SECRET)];

fn request(broker: &TestBroker, name: &str, token: &str) -> reqwest::RequestBuilder {
    broker.token_request(&[(name, token), OWN[0], OWN[1]])
}

async fn bring(broker: &TestBroker, token: &str) -> Answer {
    Answer::of(request(broker, "code", token)).await
}

#[tokio::test]
async fn the_secret_is_needed_even_in_the_simulator() {
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    for form in [&[][..], &OWN[..1]] {
        for name in ["code", "public_token"] {
            let answer = broker.token(&[&[(name, token.as_str())], form].concat()).await;
            assert_eq!(answer.oauth_error(), (401, "invalid_client"));
        }
    }
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
    assert_eq!(bring(&broker, &token).await.status, 200);
    let by_headers = broker
        .token_request(&[("code", &broker.public_token().await)])
        .header("PLAID-CLIENT-ID", CLIENT_ID)
        .header("PLAID-SECRET", SECRET);
    assert_eq!(
        Answer::of(by_headers).await.status,
        200,
        "as Kore.ai's profile may send it"
    );
}

#[tokio::test]
async fn a_repeat_gives_the_same_tokens_for_half_an_hour() {
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    let first = bring(&broker, &token).await;
    assert_eq!(first.status, 200, "{}", first.body);
    broker.clock.advance(Duration::from_secs(30 * 60 - 1));
    for name in ["code", "public_token"] {
        let again = Answer::of(request(&broker, name, &token)).await;
        assert_eq!(again.body, first.body);
    }
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
    broker.clock.advance(Duration::from_secs(1));
    assert_eq!(bring(&broker, &token).await.oauth_error(), (400, "invalid_grant"));
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
    // What it gave lives on.
    assert_eq!(
        broker.refresh(&first.text("refresh_token")).await.body,
        first.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_repeats_share_one_exchange() {
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    let requests: Vec<_> = (0..16)
        .map(|_| tokio::spawn(request(&broker, "code", &token).send()))
        .collect();
    let mut bodies = std::collections::BTreeSet::new();
    for request in requests {
        let answer = Answer::read(request.await.unwrap().unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
    assert_eq!(broker.simulator.live_items(), 1);
}

#[tokio::test]
async fn a_public_token_is_whose_who_brought_it_first() {
    let broker = with_clients(&[]).await;
    let second = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    let token = broker.public_token().await;
    let first = bring(&broker, &token).await;
    assert_eq!(first.status, 200);
    let other = broker
        .token(&[("code", token.as_str()), second[0], second[1]])
        .await;
    assert_eq!(other.oauth_error(), (400, "invalid_grant"));
    let browser = Browser::open(&broker, "?state=s").await;
    assert_eq!(browser.complete(&token).await.error(), "start_over");

    let linked = broker.public_token().await;
    browser.complete(&linked).await.text("redirect_to");
    assert_eq!(
        bring(&broker, &linked).await.oauth_error(),
        (400, "invalid_grant")
    );
    assert_eq!(broker.simulator.count(EXCHANGE), 2);
}

#[tokio::test]
async fn not_every_client_may() {
    let broker = with_clients(&[]).await;
    let token = broker.public_token().await;
    let answer = broker.token(&[("code", &token), ("client_id", "app")]).await;
    assert_eq!(answer.oauth_error(), (400, "unauthorized_client"));
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
}

#[tokio::test]
async fn what_plaid_refuses_is_an_invalid_grant_with_plaids_words() {
    let broker = TestBroker::start().await;
    let expired = broker.public_token().await;
    broker.clock.advance(Duration::from_secs(30 * 60));
    let used = broker.public_token().await;
    let body = serde_json::json!({ "public_token": used });
    assert_eq!(broker.plaid(EXCHANGE, body).await.status, 200);
    for wrong in [
        expired.as_str(),
        &used,
        &expired.replace("sandbox", "production"),
        "public-sandbox-00000000-0000-0000-0000-000000000000",
        "public-nonsense",
        "public-",
    ] {
        let answer = bring(&broker, wrong).await;
        assert_eq!(
            answer.oauth_error(),
            (400, "invalid_grant"),
            "{wrong}: {}",
            answer.body
        );
        assert_eq!(answer.text("plaid_error_code"), "INVALID_PUBLIC_TOKEN", "{wrong}");
        assert!(!answer.text("plaid_request_id").is_empty());
        assert!(!answer.body.contains(wrong), "{}", answer.body);
    }
}

#[tokio::test]
async fn plaid_down_is_said_to_be_passing_and_the_token_stays_good() {
    for (name, fault) in [
        ("reset", Fault::Reset),
        ("hang", Fault::Hang),
        ("html", html(502)),
        ("500", Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR")),
    ] {
        let broker = TestBroker::start().await;
        let token = broker.public_token().await;
        broker.simulator.enqueue(EXCHANGE, fault.clone());
        broker.simulator.enqueue(EXCHANGE, fault);
        let answer = bring(&broker, &token).await;
        assert_eq!(answer.oauth_error(), (503, "temporarily_unavailable"), "{name}");
        assert!(
            answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0,
            "{name}"
        );
        assert_eq!(bring(&broker, &token).await.status, 200, "{name}");
    }
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    broker
        .simulator
        .enqueue(EXCHANGE, Fault::error(429, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT"));
    let answer = bring(&broker, &token).await;
    assert_eq!(answer.oauth_error(), (503, "temporarily_unavailable"));
    assert_eq!(answer.text("plaid_error_code"), "RATE_LIMIT");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(bring(&broker, &token).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_was_lost_burns_the_token_and_says_so() {
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    broker.simulator.enqueue(EXCHANGE, Fault::DropAnswer);
    let answer = bring(&broker, &token).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_grant"), "{}", answer.body);
    assert_eq!(broker.simulator.count(EXCHANGE), 2);
}

#[tokio::test]
async fn wrong_keys_are_our_fault_and_plaids_words_stay_in_the_log() {
    let broker = TestBroker::start().await;
    let token = broker.public_token().await;
    broker
        .simulator
        .enqueue(EXCHANGE, Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS"));
    let answer = bring(&broker, &token).await;
    assert_eq!(answer.oauth_error(), (500, "server_error"));
    assert!(!answer.body.contains("INVALID_API_KEYS"), "{}", answer.body);
    assert_eq!(answer.json.as_object().unwrap().len(), 2, "{}", answer.body);
    assert_eq!(bring(&broker, &token).await.status, 200);
}
