//! Keys, headers, methods, paths: what comes before any endpoint.

use plaid_simulator::{CLIENT_ID, SECRET};
use serde_json::{Value, json};

use crate::support::{OTHER, Plaid};

#[tokio::test]
async fn keys_may_come_in_headers_or_body() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let response = plaid
        .http
        .post(plaid.url("/item/get"))
        .header("PLAID-CLIENT-ID", CLIENT_ID)
        .header("PLAID-SECRET", SECRET)
        .header("Plaid-Version", "2020-09-14")
        .json(&json!({"access_token": access_token}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["item"]["institution_id"], "ins_109508");
}

#[tokio::test]
async fn bad_keys_are_told_apart() {
    let plaid = Plaid::start().await;
    for (keys, error_type, error_code, named) in [
        (
            json!({}),
            "INVALID_REQUEST",
            "MISSING_FIELDS",
            "client_id, secret",
        ),
        (
            json!({"client_id": CLIENT_ID}),
            "INVALID_REQUEST",
            "MISSING_FIELDS",
            "secret",
        ),
        (
            json!({"secret": SECRET}),
            "INVALID_REQUEST",
            "MISSING_FIELDS",
            "client_id",
        ),
        (
            json!({"client_id": "short", "secret": SECRET}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
            "client_id",
        ),
        (
            json!({"client_id": 1, "secret": SECRET}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
            "client_id",
        ),
        (
            json!({"client_id": CLIENT_ID, "secret": ""}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
            "secret",
        ),
        (
            json!({"client_id": CLIENT_ID, "secret": "wrong"}),
            "INVALID_INPUT",
            "INVALID_API_KEYS",
            "secret",
        ),
        (
            json!({"client_id": CLIENT_ID, "secret": OTHER.1}),
            "INVALID_INPUT",
            "INVALID_API_KEYS",
            "secret",
        ),
    ] {
        let answer = plaid.post("/item/get", &keys).await;
        answer.refused(400, error_type, error_code);
        let message = answer.body["error_message"].as_str().unwrap();
        assert!(message.contains(named), "{message}");
    }
}

#[tokio::test]
async fn only_json_objects_are_bodies() {
    let plaid = Plaid::start().await;
    for (content_type, body, error_code) in [
        (Some("application/json"), "{", "INVALID_BODY"),
        (Some("application/json"), "", "INVALID_BODY"),
        (Some("application/json"), "[]", "INVALID_BODY"),
        (Some("application/json; charset=utf-8"), "{}", "MISSING_FIELDS"),
        (Some("application/x-www-form-urlencoded"), "a=b", "INVALID_BODY"),
        (None, "{}", "INVALID_HEADERS"),
    ] {
        let mut request = plaid.http.post(plaid.url("/item/get")).body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error_code"], error_code, "{content_type:?} {body}");
    }
    let endless = plaid
        .http
        .post(plaid.url("/item/get"))
        .header("content-type", "application/json")
        .body(vec![b' '; 2 * 1024 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(
        endless.json::<Value>().await.unwrap()["error_code"],
        "INVALID_BODY"
    );
}

#[tokio::test]
async fn an_api_version_must_exist() {
    let plaid = Plaid::start().await;
    for (version, code) in [
        ("2020-09-14", "MISSING_FIELDS"),
        ("2033-01-01", "INVALID_HEADERS"),
    ] {
        let request = plaid
            .http
            .post(plaid.url("/item/get"))
            .header("Plaid-Version", version)
            .json(&json!({}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["error_code"], code);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_not_found() {
    let plaid = Plaid::start().await;
    for path in ["/", "/item", "/item/get/", "/oauth/token"] {
        plaid
            .call(path, json!({}))
            .await
            .refused(404, "INVALID_REQUEST", "NOT_FOUND");
    }
    assert_eq!(
        plaid
            .http
            .get(plaid.url("/item/get"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert_eq!(
        plaid
            .http
            .get(plaid.url("/_simulator/nothing"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn calls_are_counted_and_recorded_without_secrets() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid.of_item("/item/get", &access_token).await.ok();
    plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(plaid.simulator().count("/item/get"), 2);
    assert_eq!(plaid.simulator().count("/item/remove"), 0);
    let recorded = plaid.simulator().requests();
    assert_eq!(recorded.last().unwrap().path, "/item/get");
    let over_http = plaid
        .http
        .get(plaid.url("/_simulator/requests"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let in_process = serde_json::to_string(&recorded).unwrap();
    assert_eq!(over_http, in_process);
    assert!(over_http.contains("access-sandbox-***"));
    assert!(!over_http.contains(SECRET) && !over_http.contains(&access_token));
}
