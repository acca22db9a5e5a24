//! The `status` of `/item/get`: when the bank was last asked for news, with and without success.

use std::time::Duration;

use serde_json::{Value, json};

use crate::link_support::update_token;
use crate::support::Plaid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn status(plaid: &Plaid, token: &str) -> (Value, Value) {
    let told = plaid.of_item("/item/get", token).await.ok();
    let status = &told["status"]["transactions"];
    (
        status["last_successful_update"].clone(),
        status["last_failed_update"].clone(),
    )
}

fn at(success: &str, failure: Value) -> (Value, Value) {
    (json!(success), failure)
}

/// It is 2025-06-15T15:06:40Z, and banks are asked at six in the morning.
#[tokio::test]
async fn updates_come_each_morning_until_the_login_lapses() {
    let plaid = Plaid::start().await;
    let token = plaid.access_token().await;
    assert_eq!(status(&plaid, &token).await, (Value::Null, Value::Null));
    plaid.clock.advance(Duration::from_secs(1));
    let first = at("2025-06-15T15:06:41Z", Value::Null);
    assert_eq!(status(&plaid, &token).await, first);
    plaid.clock.advance(Duration::from_secs(2));
    let history = at("2025-06-15T15:06:43Z", Value::Null);
    assert_eq!(status(&plaid, &token).await, history);
    plaid.clock.advance(DAY);
    let regular = at("2025-06-16T06:00:00Z", Value::Null);
    assert_eq!(status(&plaid, &token).await, regular);

    plaid.clock.advance(DAY * 31);
    let lapsed = at("2025-07-15T06:00:00Z", json!("2025-07-17T06:00:00Z"));
    assert_eq!(status(&plaid, &token).await, lapsed);

    let link_token = update_token(&plaid, &token, json!({})).await;
    plaid.simulator().complete_link(&link_token).unwrap();
    let repaired = at("2025-07-17T15:06:43Z", json!("2025-07-17T06:00:00Z"));
    assert_eq!(status(&plaid, &token).await, repaired);
}

#[tokio::test]
async fn a_login_that_is_reset_fails_from_then_on() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["transactions"]).await;
    plaid.of_item("/sandbox/item/reset_login", &token).await.ok();
    assert_eq!(
        status(&plaid, &token).await,
        at("2025-06-15T15:06:43Z", Value::Null)
    );
    plaid.clock.advance(DAY * 2);
    let failed = at("2025-06-15T15:06:43Z", json!("2025-06-17T06:00:00Z"));
    assert_eq!(status(&plaid, &token).await, failed);
}
