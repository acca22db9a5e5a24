//! Plaid's bad days while a person is on the page: nothing is lost, and everybody is told what to do.

use std::cell::Cell;

use plaid_token_broker::simulator::{self, Fault, PublicTokenReuse};

use crate::harness::{Answer, Browser, Setup, TestBroker, query_value};
use crate::page_calls::EXCHANGE;

pub fn html(status: u16) -> Fault {
    Fault::Body {
        status,
        content_type: "text/html".to_owned(),
        bytes: b"<h1>Bad gateway</h1>".to_vec(),
    }
}

/// Faults that Plaid recovers from.
pub fn passing() -> [(&'static str, Fault); 8] {
    [
        ("reset", Fault::Reset),
        ("hang", Fault::Hang),
        ("html 200", html(200)),
        ("html 502", html(502)),
        ("truncated", Fault::Truncate { keep: 10 }),
        ("500", Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR")),
        ("429", Fault::error(429, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT")),
        ("new", Fault::error(400, "A_NEW_TYPE", "A_NEW_CODE")),
    ]
}

#[track_caller]
fn try_again(name: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{name}: {}", answer.body);
    assert_eq!(answer.error(), "temporarily_unavailable", "{name}");
    assert_eq!(answer.text("next"), "retry", "{name}");
    assert!(!answer.body.contains("<h1>"), "{name}: {}", answer.body);
}

#[tokio::test]
async fn a_link_token_that_plaid_does_not_make_can_be_asked_for_again() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    for (name, fault) in passing() {
        broker.simulator.enqueue("/link/token/create", fault);
        try_again(name, &browser.create_link_token().await);
        assert_eq!(browser.create_link_token().await.status, 200, "{name}");
    }
    let wrong_keys = Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS");
    broker.simulator.enqueue("/link/token/create", wrong_keys);
    let answer = browser.create_link_token().await;
    assert_eq!((answer.status, answer.error().as_str()), (500, "server_error"));
}

#[tokio::test]
async fn an_exchange_that_plaid_did_not_do_succeeds_when_it_is_repeated() {
    for (name, fault) in passing() {
        if name == "truncated" {
            // That one is done, and its answer lost.
            continue;
        }
        let broker = TestBroker::start().await;
        let browser = Browser::open(&broker, "?state=s").await;
        let public_token = broker.public_token().await;
        // Twice, since an unknown outcome is tried once more.
        broker.simulator.enqueue(EXCHANGE, fault.clone());
        broker.simulator.enqueue(EXCHANGE, fault);
        let mut answer = browser.complete(&public_token).await;
        let calls = broker.simulator.count(EXCHANGE);
        if matches!(name, "429" | "new") {
            assert_eq!(calls, 1, "{name}: Plaid said that nothing was done");
            try_again(name, &answer);
            answer = browser.complete(&public_token).await;
        } else {
            assert_eq!(calls, 2, "{name}");
        }
        try_again(name, &answer);
        let repeated = browser.complete(&public_token).await;
        assert_eq!(repeated.status, 200, "{name}: {}", repeated.body);
        let code = query_value(&repeated.text("redirect_to"), "code").unwrap();
        assert_eq!(broker.token(&[("code", &code)]).await.status, 200, "{name}");
        assert_eq!(broker.simulator.live_items(), 1, "{name}");
    }
}

#[tokio::test]
async fn one_bad_answer_is_not_even_noticed() {
    for (name, fault) in passing() {
        if matches!(name, "429" | "new" | "truncated") {
            continue;
        }
        let broker = TestBroker::start().await;
        let browser = Browser::open(&broker, "?state=s").await;
        broker.simulator.enqueue(EXCHANGE, fault);
        let answer = browser.complete(&broker.public_token().await).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_exchange_whose_answer_was_lost_is_tried_once_more_and_then_started_over() {
    for fault in [Fault::DropAnswer, Fault::Truncate { keep: 10 }] {
        let broker = TestBroker::start().await;
        let browser = Browser::open(&broker, "?state=s").await;
        broker.simulator.enqueue(EXCHANGE, fault);
        let lost = browser.complete(&broker.public_token().await).await;
        assert_eq!(broker.simulator.count(EXCHANGE), 2);
        assert_eq!(lost.status, 409, "{}", lost.body);
        assert_eq!(
            (lost.error().as_str(), lost.text("next").as_str()),
            ("start_over", "restart")
        );
        // On the same page, with the same transaction.
        assert_eq!(browser.create_link_token().await.status, 200);
        assert_eq!(browser.complete(&broker.public_token().await).await.status, 200);
    }
}

#[tokio::test]
async fn where_plaid_takes_a_public_token_again_a_lost_answer_is_got_again() {
    for reuse in [PublicTokenReuse::SameToken, PublicTokenReuse::NewToken] {
        let broker = TestBroker::start_as(Setup {
            plaid: Some(simulator::Options {
                public_token_reuse: reuse,
                ..simulator::Options::default()
            }),
            ..Setup::default()
        })
        .await;
        let browser = Browser::open(&broker, "?state=s").await;
        broker.simulator.enqueue(EXCHANGE, Fault::DropAnswer);
        let completed = browser.complete(&broker.public_token().await).await;
        assert_eq!(completed.status, 200, "{}", completed.body);
        assert_eq!(broker.simulator.count(EXCHANGE), 2);
        let code = query_value(&completed.text("redirect_to"), "code").unwrap();
        let tokens = broker.token(&[("code", &code)]).await;
        let item = broker
            .simulator
            .item_by_access_token(&tokens.text("access_token"))
            .unwrap();
        assert_eq!(item.item_id, tokens.text("item_id"));
    }
}

#[tokio::test]
async fn wrong_keys_at_plaid_are_the_operators_matter_and_the_token_stays_good() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let public_token = broker.public_token().await;
    broker
        .simulator
        .enqueue(EXCHANGE, Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS"));
    let answer = browser.complete(&public_token).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (500, "server_error"),
        "{}",
        answer.body
    );
    assert_eq!(browser.complete(&public_token).await.status, 200);
}

#[tokio::test]
async fn who_cancels_while_plaid_is_slow_leaves_no_item_behind() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let public_token = broker.public_token().await;
    broker
        .simulator
        .enqueue(EXCHANGE, Fault::Delay(std::time::Duration::from_millis(150)));
    let cancelling = async {
        while broker.simulator.count(EXCHANGE) == 0 {
            tokio::task::yield_now().await;
        }
        browser.cancel().await
    };
    let (completed, cancelled) = tokio::join!(browser.complete(&public_token), cancelling);
    assert!(cancelled.text("redirect_to").contains("error=access_denied"));
    assert_eq!(completed.error(), "transaction_over", "{}", completed.body);
    // Even when Plaid does not remove it at once, the wish stands.
    broker.simulator.enqueue(
        "/item/remove",
        Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR"),
    );
    assert_eq!(crate::removal::look(&broker).await, 0);
    broker.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(crate::removal::look(&broker).await, 1);
    assert_eq!(broker.simulator.live_items(), 0);
}

#[tokio::test]
async fn others_go_on_while_plaid_hangs_for_one() {
    let broker = TestBroker::start().await;
    let (one, two) = (
        Browser::open(&broker, "?state=1").await,
        Browser::open(&broker, "?state=2").await,
    );
    let (first, second) = (broker.public_token().await, broker.public_token().await);
    one.start().await;
    two.start().await;
    let link_tokens = broker.simulator.count("/link/token/create");
    broker.simulator.enqueue(EXCHANGE, Fault::Hang);
    broker.simulator.enqueue("/link/token/create", Fault::Hang);
    let hung = Cell::new(false);
    let hanging = async {
        let given_up = tokio::join!(one.complete(&first), one.create_link_token());
        hung.set(true);
        given_up
    };
    let fine = async {
        while broker.simulator.count(EXCHANGE) == 0
            || broker.simulator.count("/link/token/create") == link_tokens
        {
            tokio::task::yield_now().await;
        }
        let completed = two.complete(&second).await;
        (completed.status, hung.get())
    };
    let ((completed, link_token), (status, was_after)) = tokio::join!(hanging, fine);
    assert_eq!(status, 200);
    assert!(
        !was_after,
        "the other person waited for the end of the hanging calls"
    );
    assert_eq!(completed.status, 200, "{}", completed.body);
    assert_eq!(link_token.status, 503);
}

#[tokio::test]
async fn one_browser_has_one_exchange_under_way() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let (first, second) = (broker.public_token().await, broker.public_token().await);
    broker
        .simulator
        .enqueue(EXCHANGE, Fault::Delay(std::time::Duration::from_millis(300)));
    let another = async {
        while broker.simulator.count(EXCHANGE) == 0 {
            tokio::task::yield_now().await;
        }
        // The same token waits for the same answer, another one has to wait its turn.
        tokio::join!(browser.complete(&first), browser.complete(&second))
    };
    let (leader, (follower, other)) = tokio::join!(browser.complete(&first), another);
    assert_eq!(leader.status, 200, "{}", leader.body);
    assert_eq!(leader.text("redirect_to"), follower.text("redirect_to"));
    assert_eq!((other.status, other.error().as_str()), (503, "busy"));
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_long_ago_still_brings_a_good_code() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let public_token = broker.public_token().await;
    browser.complete(&public_token).await;
    // The phone was asleep; the code has run out meanwhile.
    broker.clock.advance(std::time::Duration::from_secs(1000));
    let again = browser.complete(&public_token).await;
    let code = crate::harness::query_value(&again.text("redirect_to"), "code").unwrap();
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
}
