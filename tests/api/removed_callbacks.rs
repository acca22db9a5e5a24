//! A callback that was removed while an authorization is under way: at no later step is anything sent there.

use plaid_token_broker::simulator::CLIENT_ID;
use plaid_token_broker::telemetry::audit::Origin;

use crate::harness::{Answer, Browser, TestBroker, query_value};
use crate::page_calls::EXCHANGE;

const ADDED: &str = "https://added.example/callback";
const QUERY: &str = "?state=s&redirect_uri=https%3A%2F%2Fadded.example%2Fcallback";

async fn allow(broker: &TestBroker) {
    let allowed = broker.app.allow_redirect_uri(CLIENT_ID, ADDED, Origin::default());
    assert!(allowed.await.unwrap());
}

async fn remove(broker: &TestBroker) {
    let removed = broker
        .app
        .forget_redirect_uri(CLIENT_ID, ADDED, Origin::default());
    assert!(removed.await.unwrap());
}

#[track_caller]
fn refused(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (403, "callback_removed")
    );
    assert_eq!(answer.text("next"), "none");
    assert!(
        !answer.body.contains("redirect_to") && !answer.body.contains("ptb_ac_"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn every_step_of_the_page_checks_the_callback_again() {
    let broker = TestBroker::start().await;
    allow(&broker).await;
    let fresh = Browser::open(&broker, QUERY).await;
    let at_link = Browser::open(&broker, QUERY).await;
    at_link.start().await;
    let leaving = Browser::open(&broker, QUERY).await;
    let done = Browser::open(&broker, QUERY).await;
    let used = broker.public_token().await;
    done.complete(&used).await.text("redirect_to");
    let (link_tokens, exchanges) = (
        broker.simulator.count("/link/token/create"),
        broker.simulator.count(EXCHANGE),
    );

    remove(&broker).await;
    refused(&fresh.create_link_token().await);
    refused(&at_link.complete(&broker.public_token().await).await);
    refused(&leaving.cancel().await);
    // The repeat of a completion would get the code again.
    refused(&done.complete(&used).await);
    assert_eq!(broker.simulator.count("/link/token/create"), link_tokens);
    assert_eq!(
        broker.simulator.count(EXCHANGE),
        exchanges,
        "the public token is not spent"
    );

    // A page that is open when the callback is put back goes on.
    allow(&broker).await;
    let landed = at_link
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    assert!(landed.starts_with(&format!("{ADDED}?code=")), "{landed}");
}

#[tokio::test]
async fn a_callback_removed_while_plaid_answers_gets_no_code() {
    let broker = TestBroker::start().await;
    allow(&broker).await;
    let browser = Browser::open(&broker, QUERY).await;
    browser.start().await;
    let public_token = broker.public_token().await;
    let pause = std::time::Duration::from_millis(500);
    broker
        .simulator
        .enqueue(EXCHANGE, plaid_token_broker::simulator::Fault::Delay(pause));
    let removing = async {
        while broker.simulator.count(EXCHANGE) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        remove(&broker).await;
    };
    let (completed, ()) = tokio::join!(browser.complete(&public_token), removing);
    refused(&completed);
}

#[tokio::test]
async fn a_code_of_a_removed_callback_is_not_redeemed() {
    let broker = TestBroker::start().await;
    allow(&broker).await;
    let browser = Browser::open(&broker, QUERY).await;
    let landed = browser
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    let code = query_value(&landed, "code").unwrap();
    remove(&broker).await;
    let answer = broker.token(&[("code", &code)]).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
    assert!(
        answer.text("error_description").contains("no longer registered"),
        "{}",
        answer.body
    );
    // The attempt did not use it up.
    allow(&broker).await;
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
}
