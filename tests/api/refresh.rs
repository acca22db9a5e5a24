//! Refresh: the same access token, unless Plaid positively says that it is dead.

use std::time::Duration;

use plaid_token_broker::simulator::Fault;
use serde_json::json;

use crate::bad_days::{html, passing};
use crate::binding::changes;
use crate::harness::{Answer, TestBroker};
use crate::token::{SECOND, with_clients};

const ITEM_GET: &str = "/item/get";

#[tokio::test]
async fn a_refresh_gives_the_same_answer_again_and_again() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    let refresh_token = tokens.text("refresh_token");
    // Plaid's sandbox asks for a login again after 30 days.
    for days in [0, 1, 28] {
        broker.clock.advance(Duration::from_secs(days * 86_400));
        let refreshed = broker.refresh(&refresh_token).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        assert_eq!(refreshed.body, tokens.body);
        assert_eq!(refreshed.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_login_that_the_bank_asks_for_again_ends_the_refresh_until_it_is_done() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    let (refresh_token, access_token) = (tokens.text("refresh_token"), tokens.text("access_token"));
    broker
        .plaid(
            "/sandbox/item/reset_login",
            json!({ "access_token": access_token }),
        )
        .await;
    let refused = broker.refresh(&refresh_token).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_grant"));
    assert_eq!(refused.text("plaid_error_code"), "ITEM_LOGIN_REQUIRED");
    assert!(
        !refused.text("plaid_request_id").is_empty(),
        "for Plaid's support"
    );
    assert!(!refused.body.contains("access-"), "{}", refused.body);

    let repaired = broker.tokens().await.text("refresh_token");
    broker
        .simulator
        .enqueue(ITEM_GET, Fault::error(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED"));
    assert_eq!(
        broker.refresh(&repaired).await.oauth_error(),
        (400, "invalid_grant")
    );
    broker.clock.advance(Duration::from_secs(60));
    assert_eq!(
        broker.refresh(&repaired).await.status,
        200,
        "the grant did not die of it"
    );
    assert_eq!(
        broker.refresh(&refresh_token).await.oauth_error(),
        (400, "invalid_grant"),
        "still dead"
    );
}

#[tokio::test]
async fn an_item_that_is_gone_at_plaid_is_an_invalid_grant() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    broker
        .plaid(
            "/item/remove",
            json!({ "access_token": tokens.text("access_token") }),
        )
        .await;
    let refused = broker.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_grant"));
    assert!(!refused.text("plaid_error_code").is_empty());

    for (error_type, code) in [
        ("ITEM_ERROR", "ITEM_NOT_FOUND"),
        ("ITEM_ERROR", "USER_PERMISSION_REVOKED"),
        ("INVALID_INPUT", "USER_PERMISSION_REVOKED"),
        ("ITEM_ERROR", "ITEM_CONCURRENTLY_DELETED"),
    ] {
        let refresh_token = broker.tokens().await.text("refresh_token");
        broker
            .simulator
            .enqueue(ITEM_GET, Fault::error(400, error_type, code));
        let refused = broker.refresh(&refresh_token).await;
        assert_eq!(refused.oauth_error(), (400, "invalid_grant"), "{code}");
        assert_eq!(refused.text("plaid_error_code"), code);
    }
}

#[tokio::test]
async fn plaids_bad_days_do_not_end_a_grant() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    let wrong_keys = Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS");
    let others = [
        ("drop", Fault::DropAnswer),
        ("wrong keys", wrong_keys),
        ("html 404", html(404)),
        (
            "limit",
            Fault::error(429, "RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT"),
        ),
        (
            "bank down",
            Fault::error(400, "INSTITUTION_ERROR", "INSTITUTION_DOWN"),
        ),
    ];
    for (number, (name, fault)) in (1..).zip(passing().into_iter().chain(others)) {
        broker.simulator.enqueue(ITEM_GET, fault);
        let refreshed = broker.refresh(&tokens.text("refresh_token")).await;
        assert_eq!(refreshed.status, 200, "{name}: {}", refreshed.body);
        assert_eq!(refreshed.body, tokens.body, "{name}");
        assert_eq!(broker.simulator.count(ITEM_GET), number, "{name}");
        broker.clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn plaids_word_is_reused_for_a_minute() {
    let broker = TestBroker::start().await;
    let refresh_token = broker.tokens().await.text("refresh_token");
    let other = broker.tokens().await.text("refresh_token");
    for (advance, count) in [(0, 1), (0, 1), (59, 1), (1, 2), (59, 2), (3600, 3)] {
        broker.clock.advance(Duration::from_secs(advance));
        assert_eq!(broker.refresh(&refresh_token).await.status, 200);
        assert_eq!(broker.simulator.count(ITEM_GET), count);
    }
    assert_eq!(broker.refresh(&other).await.status, 200);
    assert_eq!(broker.simulator.count(ITEM_GET), 4, "each connection has its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_refreshes_share_one_call() {
    let broker = TestBroker::start().await;
    for fault in [Fault::Delay(Duration::from_millis(50)), Fault::Hang] {
        let tokens = broker.tokens().await;
        let form = [("refresh_token", tokens.text("refresh_token"))];
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let before = broker.simulator.count(ITEM_GET);
        broker.simulator.enqueue(ITEM_GET, fault);
        let requests: Vec<_> = (0..32)
            .map(|_| tokio::spawn(broker.token_request(&form).send()))
            .collect();
        for request in requests {
            let answer = Answer::read(request.await.unwrap().unwrap()).await;
            assert_eq!(answer.body, tokens.body);
        }
        assert_eq!(broker.simulator.count(ITEM_GET), before + 1);
    }
}

#[tokio::test]
async fn a_refresh_token_belongs_to_its_client() {
    let broker = with_clients(&[]).await;
    let refresh_token = broker.tokens().await.text("refresh_token");
    for other in [
        &[("client_id", SECOND.0), ("client_secret", SECOND.1)][..],
        &[("client_id", "app")],
    ] {
        let form = [&[("refresh_token", refresh_token.as_str())], other].concat();
        assert_eq!(
            broker.token(&form).await.oauth_error(),
            (400, "invalid_grant"),
            "{other:?}"
        );
    }
    assert_eq!(broker.simulator.count(ITEM_GET), 0);
    assert_eq!(broker.refresh(&refresh_token).await.status, 200);
}

#[tokio::test]
async fn a_changed_refresh_token_is_not_valid() {
    let broker = TestBroker::start().await;
    let refresh_token = broker.tokens().await.text("refresh_token");
    let mut wrong = changes(&refresh_token, 60);
    wrong.extend([
        refresh_token.replace("ptb_rt_", "ptb_ac_"),
        refresh_token.to_uppercase(),
        format!("{refresh_token} "),
        "x".to_owned(),
    ]);
    for wrong in wrong {
        assert_eq!(
            broker.refresh(&wrong).await.oauth_error(),
            (400, "invalid_grant"),
            "{wrong}"
        );
    }
    let as_code = broker.token(&[("code", &refresh_token)]).await;
    assert_eq!(as_code.oauth_error(), (400, "invalid_grant"));
    assert!(
        as_code.text("error_description").contains("refresh_token"),
        "says what is wrong"
    );
    assert_eq!(broker.simulator.count(ITEM_GET), 0);
}
