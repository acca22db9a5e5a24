//! Faults on order, as a client meets them.

use std::error::Error as _;
use std::time::{Duration, Instant};

use plaid_simulator::{CLIENT_ID, Fault, FaultRefused, SECRET};
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
        let order = json!({"path": "/item/remove", "fault": {"kind": kind}});
        assert_eq!(
            plaid.http.post(&url).json(&order).send().await.unwrap().status(),
            204,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_fault_that_cannot_be_met_is_refused() {
    let plaid = Plaid::start().await;
    let refusal = async |order: &serde_json::Value| {
        let url = plaid.url("/_simulator/faults");
        let answer = plaid.http.post(url).json(order).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: serde_json::Value = answer.json().await.unwrap_or_default();
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    };
    let error = |status: u32| json!({"kind": "error", "status": status, "error_type": "API_ERROR", "error_code": "X"});
    let body = |status: u32, content_type: &str, bytes: &[u8]| json!({"kind": "body", "status": status, "content_type": content_type, "bytes": bytes});
    let mut more = error(500);
    more["suggested_action"] = json!("x");
    for (fault, says) in [
        (error(0), "400 to 599"),
        (error(99), "400 to 599"),
        (error(100), "400 to 599"),
        (error(204), "400 to 599"),
        (error(304), "400 to 599"),
        (error(600), "400 to 599"),
        (error(1000), "400 to 599"),
        (error(99_999), "u16"),
        (body(100, "text/plain", b""), "200 to 599"),
        (body(777, "text/plain", b""), "200 to 599"),
        (body(204, "text/plain", b"x"), "leave bytes empty"),
        (body(304, "text/plain", b"x"), "leave bytes empty"),
        (body(200, "text/plain\nx: y", b""), "content_type"),
        (body(200, "", b""), "content_type"),
        (body(200, "text/\u{e4}", b""), "content_type"),
        (
            json!({"kind": "body", "status": 200, "content_type": "x", "bytes": [256]}),
            "u8",
        ),
        (json!({"kind": "delay", "milliseconds": 3_600_001_u64}), "hang"),
        (json!({"kind": "delay", "milliseconds": -1}), "-1"),
        (
            json!({"kind": "delay", "milliseconds": 1, "keep": 1}),
            "unknown field `keep`",
        ),
        (json!({"kind": "hang", "status": 500}), "unknown field `status`"),
        (
            json!({"kind": "reset", "error_message": "x"}),
            "unknown field `error_message`",
        ),
        (json!({"kind": "nope"}), "unknown variant `nope`"),
        (json!({"kind": "truncate"}), "keep"),
        (more, "unknown field `suggested_action`"),
    ] {
        let (status, said) = refusal(&json!({"path": "/item/get", "fault": fault})).await;
        assert_eq!(status, 422, "{fault}: {said}");
        assert!(said.contains(says), "{fault}: {said}");
    }
    for path in [
        "nope",
        "item/get",
        "/item/get/",
        "/item/get?x",
        "/",
        "",
        "/ITEM/get",
        "//item",
        "/item/gett",
    ] {
        let (status, said) = refusal(&json!({"path": path, "fault": {"kind": "reset"}})).await;
        assert_eq!(status, 422, "{path}");
        assert!(said.contains("path"), "{path}: {said}");
    }
    let (status, _) = refusal(&json!({"path": "/item/get", "fault": {"kind": "reset"}, "times": 2})).await;
    assert_eq!(status, 422);
    assert_eq!(plaid.simulator().faults(), []);
    assert_eq!(
        plaid.simulator().try_enqueue("/item/gett", Fault::Reset),
        Err(FaultRefused::UnknownPath)
    );
    plaid.simulator().enqueue("/item/gett", Fault::Reset);
    assert_eq!(plaid.simulator().faults(), []);
}

#[tokio::test]
async fn what_can_be_met_is_met() {
    let plaid = Plaid::start().await;
    let url = plaid.url("/_simulator/faults");
    let order = async |path: &str, fault: serde_json::Value| {
        let order = json!({"path": path, "fault": fault});
        let answer = plaid.http.post(&url).json(&order).send().await.unwrap();
        assert_eq!(answer.status(), 204, "{order}");
    };
    order(
        "/item/get",
        json!({"kind": "error", "status": 208, "error_type": "OAUTH_ERROR", "error_code": "A",
               "error_message": "for you", "display_message": "for them"}),
    )
    .await;
    let answer = plaid.call("/item/get", json!({})).await;
    answer.refused(208, "OAUTH_ERROR", "A");
    assert_eq!(answer.body["error_message"], "for you");
    assert_eq!(answer.body["display_message"], "for them");
    // A path that the simulator does not have can be stood in for.
    let stand_in = json!({"kind": "body", "status": 200, "content_type": "application/json",
                          "bytes": br#"{"processor_token":"p"}"#});
    order("/processor/token/create", stand_in).await;
    let answer = plaid.call("/processor/token/create", json!({})).await;
    assert_eq!(
        (answer.status, &answer.body["processor_token"]),
        (200, &json!("p"))
    );
    order(
        "/item/get",
        json!({"kind": "body", "status": 204, "content_type": "text/plain", "bytes": []}),
    )
    .await;
    let answer = plaid.http.post(plaid.url("/item/get")).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

#[tokio::test]
async fn waiting_faults_are_listed_and_taken_back() {
    let plaid = Plaid::start().await;
    let url = plaid.url("/_simulator/faults");
    let waiting = async || {
        let answer = plaid.http.get(&url).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let take_back = async |query: &str| {
        let answer = plaid.http.delete(format!("{url}{query}")).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<serde_json::Value>().await.unwrap(),
        )
    };
    assert_eq!(waiting().await, json!([]));
    let orders = json!([
        {"path": "/item/get", "fault": {"kind": "delay", "milliseconds": 5}},
        {"path": "/item/remove", "fault": {"kind": "reset"}},
        {"path": "/item/get", "fault": {"kind": "error", "status": 500, "error_type": "A", "error_code": "B"}},
    ]);
    for order in orders.as_array().unwrap() {
        plaid.http.post(&url).json(order).send().await.unwrap();
    }
    assert_eq!(waiting().await, orders);
    assert_eq!(json!(plaid.simulator().faults()), orders);
    assert_eq!(
        take_back("?path=/item/get").await,
        (200, json!({"taken_back": 2}))
    );
    assert_eq!(waiting().await, json!([orders[1]]));
    assert_eq!(
        take_back("?path=/item/get").await,
        (200, json!({"taken_back": 0}))
    );
    let (status, said) = take_back("?paths=/item/get").await;
    assert_eq!(status, 422, "{said}");
    assert!(
        said["error"].as_str().unwrap().contains("unknown field `paths`"),
        "{said}"
    );
    assert_eq!(take_back("").await, (200, json!({"taken_back": 1})));
    plaid.simulator().enqueue("/item/get", Fault::Hang);
    assert_eq!(plaid.simulator().take_back_faults(Some("/item/remove")), 0);
    assert_eq!(plaid.simulator().take_back_faults(None), 1);
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
