//! Connections that nobody came for are removed at Plaid, and those that somebody uses stay.

use std::time::Duration;

use plaid_token_broker::link::SESSION_TTL;
use plaid_token_broker::plaid::connections::{AbandonAfter, RemovalWorker};
use plaid_token_broker::simulator::Fault;

use crate::harness::{Answer, Browser, TestBroker, query_value};

const REMOVE: &str = "/item/remove";
const HOUR: Duration = Duration::from_secs(3600);

/// Waits until the broker's own worker, which is notified of each removal, has left so many Items.
pub async fn until_live(broker: &TestBroker, items: usize) {
    let waiting = async {
        while broker.simulator.live_items() != items {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .expect("the Items are removed");
}

/// What the broker's own worker does every half minute.
pub async fn look(broker: &TestBroker) -> usize {
    look_after(broker, broker.app.config.oauth.unredeemed_ttl).await
}

async fn look_after(broker: &TestBroker, unredeemed_ttl: Duration) -> usize {
    let worker = RemovalWorker::new(
        broker.app.connections.clone(),
        AbandonAfter {
            unredeemed: unredeemed_ttl,
            session: SESSION_TTL,
        },
        broker.app.config.plaid.removal_rate,
    );
    worker.look().await.unwrap()
}

#[tokio::test]
async fn an_item_whose_code_nobody_redeemed_is_removed_and_redeemed_ones_stay() {
    let broker = TestBroker::start().await;
    let redeemed = broker.tokens().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let public_token = broker.public_token().await;
    let redirect_to = browser.complete(&public_token).await.text("redirect_to");
    let code = query_value(&redirect_to, "code").unwrap();
    broker.clock.advance(HOUR);
    assert_eq!(look(&broker).await, 0);
    assert_eq!(broker.simulator.live_items(), 2);

    broker.clock.advance(Duration::from_millis(1));
    assert_eq!(look(&broker).await, 1);
    assert_eq!(broker.simulator.live_items(), 1);
    assert_eq!(look(&broker).await, 0);
    assert_eq!(broker.simulator.count(REMOVE), 1);
    assert_eq!(
        broker.token(&[("code", &code)]).await.oauth_error(),
        (400, "invalid_grant")
    );
    let item = broker
        .simulator
        .item_by_access_token(&redeemed.text("access_token"))
        .unwrap();
    assert!(!item.removed);
    assert_eq!(broker.refresh(&redeemed.text("refresh_token")).await.status, 200);
    // A repeat of the page is not sent to the client with a code that is dead.
    let repeated = browser.complete(&public_token).await;
    assert_eq!(repeated.error(), "transaction_over", "{}", repeated.body);
    // Its public token stays used.
    let other = Browser::open(&broker, "?state=s").await;
    assert_eq!(other.complete(&public_token).await.error(), "start_over");
}

#[tokio::test]
async fn the_time_to_redeem_is_a_setting() {
    let broker = TestBroker::start_with(&[("BROKER_UNREDEEMED_TTL", "600")]).await;
    broker.code().await;
    broker.clock.advance(Duration::from_millis(600_001));
    assert_eq!(look(&broker).await, 1);
}

#[tokio::test]
async fn a_removal_that_plaid_does_not_confirm_is_tried_again_later() {
    for (name, fault) in [
        ("reset", Fault::Reset),
        ("hang", Fault::Hang),
        ("500", Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR")),
        (
            "wrong keys",
            Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS"),
        ),
        // This could also mean that the keys are of another account.
        (
            "not found",
            Fault::error(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN"),
        ),
        ("html", crate::bad_days::html(200)),
    ] {
        let broker = TestBroker::start().await;
        broker.code().await;
        broker.clock.advance(2 * HOUR);
        broker.simulator.enqueue(REMOVE, fault.clone());
        broker.simulator.enqueue(REMOVE, fault);
        assert_eq!(look(&broker).await, 0, "{name}");
        assert_eq!(look(&broker).await, 0, "{name}");
        assert_eq!(broker.simulator.count(REMOVE), 1, "{name}: not at once");
        broker.clock.advance(Duration::from_secs(30));
        assert_eq!(look(&broker).await, 0, "{name}");
        assert_eq!(broker.simulator.count(REMOVE), 2, "{name}");
        broker.clock.advance(Duration::from_secs(59));
        assert_eq!(look(&broker).await, 0, "{name}: the pause grows");
        broker.clock.advance(Duration::from_secs(1));
        assert_eq!(look(&broker).await, 1, "{name}");
        assert_eq!(broker.simulator.live_items(), 0, "{name}");
    }
}

#[tokio::test]
async fn an_item_that_is_gone_already_is_not_asked_for_for_ever() {
    let broker = TestBroker::start().await;
    broker.code().await;
    broker.clock.advance(2 * HOUR);
    // The removal is done, and its answer lost.
    broker.simulator.enqueue(REMOVE, Fault::DropAnswer);
    assert_eq!(look(&broker).await, 0);
    assert_eq!(broker.simulator.live_items(), 0);
    broker.clock.advance(Duration::from_secs(30));
    assert_eq!(look(&broker).await, 1);
    broker.clock.advance(24 * HOUR);
    assert_eq!(look(&broker).await, 0);
    assert_eq!(broker.simulator.count(REMOVE), 2);
}

#[tokio::test]
async fn a_rate_limit_of_plaids_is_no_failure_of_the_removal() {
    let broker = TestBroker::start().await;
    broker.code().await;
    broker.clock.advance(2 * HOUR);
    for _ in 0..6 {
        let limited = Fault::error(429, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT");
        broker.simulator.enqueue(REMOVE, limited);
        assert_eq!(look(&broker).await, 0);
        assert_eq!(look(&broker).await, 0);
        broker.clock.advance(Duration::from_secs(120));
    }
    assert_eq!(broker.simulator.count(REMOVE), 6, "each time once");
    // After six failures the pause would be half an hour.
    assert_eq!(look(&broker).await, 1);
    assert_eq!(broker.simulator.live_items(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redeeming_and_abandoning_are_rivals_of_which_one_wins() {
    let broker = TestBroker::start().await;
    let (mut redeemed, mut abandoned) = (0, 0);
    // The worker begins this much later than the client's request: later each time that it wins, and earlier each time
    // that it loses, so that both come close to each other again and again.
    let mut head_start = Duration::ZERO;
    let step = Duration::from_micros(300);
    for round in 0..400 {
        if redeemed >= 5 && abandoned >= 5 {
            break;
        }
        let before = broker.simulator.live_items();
        let code = broker.code().await;
        broker.clock.advance(Duration::from_secs(1));
        let form = [("code", code.as_str())];
        let late = async {
            tokio::time::sleep(head_start).await;
            look_after(&broker, Duration::ZERO).await
        };
        let (answer, removed) = tokio::join!(broker.token(&form), late);
        if answer.status == 200 {
            redeemed += 1;
            head_start = head_start.saturating_sub(step);
            assert_eq!(removed, 0, "nobody gets a token of a removed Item: round {round}");
            assert_eq!(broker.simulator.live_items(), before + 1);
            assert_eq!(broker.refresh(&answer.text("refresh_token")).await.status, 200);
        } else {
            abandoned += 1;
            head_start += step;
            assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
            assert_eq!(removed, 1, "round {round}");
            assert_eq!(broker.simulator.live_items(), before);
        }
    }
    assert!(
        redeemed > 0 && abandoned > 0,
        "{redeemed} redeemed, {abandoned} abandoned: one of them never won"
    );
}

#[tokio::test]
async fn a_persons_own_connection_waits_for_no_client_and_its_session_ends() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "").await;
    let landed = browser.complete(&broker.public_token().await).await;
    browser.keep_cookies(&landed);
    broker.clock.advance(2 * HOUR);
    assert_eq!(
        look(&broker).await,
        0,
        "the person's own connection waits for no client"
    );
    let page = || broker.get("/explorer").header("cookie", browser.cookie_header());
    assert_eq!(Answer::of(page()).await.status, 200);
    broker.clock.advance(10 * HOUR);
    assert_eq!(Answer::of(page()).await.status, 401, "a session ends");
}
