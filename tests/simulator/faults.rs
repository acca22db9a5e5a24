//! Faults on order, as a client meets them.

use std::error::Error as _;
use std::time::{Duration, Instant};

use plaid_token_broker::simulator::{CLIENT_ID, Fault, SECRET};
use serde_json::json;

use crate::support::Plaid;

/// Whether the connection was reset.
fn is_reset(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[tokio::test]
async fn faults_come_once_and_in_order() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid.simulator().enqueue(
        "/item/get",
        Fault::error(429, "RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT"),
    );
    plaid.simulator().enqueue(
        "/item/get",
        Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR"),
    );
    plaid
        .of_item("/item/get", &access_token)
        .await
        .refused(429, "RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT");
    plaid.of_item("/accounts/get", &access_token).await.ok();
    plaid
        .of_item("/item/get", &access_token)
        .await
        .refused(500, "API_ERROR", "INTERNAL_SERVER_ERROR");
    plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(plaid.simulator().count("/item/get"), 3);
}

/// Exchanges over a connection of its own: on a pooled one the HTTP client might quietly try again.
async fn exchange_alone(plaid: &Plaid, public_token: &str) -> reqwest::Result<reqwest::Response> {
    let body = json!({"client_id": CLIENT_ID, "secret": SECRET, "public_token": public_token});
    crate::support::client()
        .post(plaid.url("/item/public_token/exchange"))
        .json(&body)
        .send()
        .await
}

#[tokio::test]
async fn a_reset_comes_before_the_work() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    plaid
        .simulator()
        .enqueue("/item/public_token/exchange", Fault::Reset);
    let error = exchange_alone(&plaid, &public_token)
        .await
        .expect_err("an answer came");
    assert!(is_reset(&error), "{error:?}");
    assert_eq!(plaid.simulator().live_items(), 0);
    plaid.exchange(&public_token).await.ok();
}

#[tokio::test]
async fn a_dropped_answer_comes_after_the_work() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    plaid
        .simulator()
        .enqueue("/item/public_token/exchange", Fault::DropAnswer);
    let error = exchange_alone(&plaid, &public_token)
        .await
        .expect_err("an answer came");
    assert!(is_reset(&error), "{error:?}");
    assert_eq!(plaid.simulator().live_items(), 1);
    plaid
        .exchange(&public_token)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
}

#[tokio::test]
async fn bodies_can_be_strange_and_cut_short() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let html = b"<html>Bad gateway</html>".to_vec();
    let body = Fault::Body {
        status: 502,
        content_type: "text/html".to_owned(),
        bytes: html.clone(),
    };
    plaid.simulator().enqueue("/item/get", body);
    plaid
        .simulator()
        .enqueue("/item/get", Fault::Truncate { keep: 10 });
    let get = || {
        plaid
            .http
            .post(plaid.url("/item/get"))
            .json(&json!({"access_token": access_token}))
            .send()
    };
    let strange = get().await.unwrap();
    assert_eq!(strange.status(), 502);
    assert_eq!(strange.headers()["content-type"], "text/html");
    assert_eq!(strange.bytes().await.unwrap(), html);
    let mut cut = get().await.unwrap();
    assert_eq!(cut.chunk().await.unwrap().unwrap().len(), 10);
    assert!(cut.chunk().await.is_err());
}

#[tokio::test]
async fn answers_can_be_late_or_never_come() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let delay = Duration::from_millis(120);
    plaid.simulator().enqueue("/item/get", Fault::Delay(delay));
    let asked = Instant::now();
    plaid.of_item("/item/get", &access_token).await.ok();
    assert!(asked.elapsed() >= delay);
    plaid.simulator().enqueue("/item/get", Fault::Hang);
    let hanging = plaid.of_item("/item/get", &access_token);
    assert!(tokio::time::timeout(delay, hanging).await.is_err());
    plaid.of_item("/item/get", &access_token).await.ok();
}

#[tokio::test]
async fn faults_can_be_ordered_over_http() {
    let plaid = Plaid::start().await;
    let order = json!({"path": "/item/get", "fault": {"kind": "error", "status": 503, "error_type": "API_ERROR", "error_code": "PLANNED_MAINTENANCE"}});
    let url = plaid.url("/_simulator/faults");
    let refused = plaid
        .http
        .post(&url)
        .header("content-type", "text/plain")
        .body(order.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 415);
    assert_eq!(
        plaid.http.post(&url).json(&order).send().await.unwrap().status(),
        204
    );
    plaid
        .call("/item/get", json!({}))
        .await
        .refused(503, "API_ERROR", "PLANNED_MAINTENANCE");
    for kind in ["hang", "reset", "drop_answer"] {
        let order = json!({"path": "/elsewhere", "fault": {"kind": kind}});
        assert_eq!(
            plaid.http.post(&url).json(&order).send().await.unwrap().status(),
            204,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn dropping_the_handle_frees_the_port() {
    let plaid = Plaid::start().await;
    let url = plaid.url("/item/get");
    plaid.call("/item/get", json!({})).await;
    drop(plaid);
    tokio::task::yield_now().await;
    let error = crate::support::client()
        .post(url)
        .send()
        .await
        .expect_err("it still answers");
    assert!(error.is_connect(), "{error:?}");
}
