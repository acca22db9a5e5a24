//! Asset reports: pending, then ready.

use std::time::Duration;

use plaid_simulator::{CLIENT_ID, SECRET};
use serde_json::{Value, json};

use crate::support::{OTHER, Plaid, text};

async fn create(plaid: &Plaid, token: &str, options: Value) -> String {
    let body = json!({"access_tokens": [token], "days_requested": 60, "options": options});
    text(
        &plaid.call("/asset_report/create", body).await.ok(),
        "asset_report_token",
    )
}

#[tokio::test]
async fn a_report_is_pending_and_then_ready() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["assets"]).await;
    let options =
        json!({"client_report_id": "mine", "add_ons": ["investments"], "user": {"first_name": "Jo"}});
    let report_token = create(&plaid, &token, options).await;
    let get = |extra: Value| {
        let mut body = json!({"asset_report_token": report_token});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        plaid.call("/asset_report/get", body)
    };
    for path in ["/asset_report/get", "/asset_report/pdf/get"] {
        plaid
            .call(path, json!({"asset_report_token": report_token}))
            .await
            .refused(400, "ASSET_REPORT_ERROR", "PRODUCT_NOT_READY");
    }
    plaid.clock.advance(Duration::from_secs(2));
    let report = get(json!({"include_insights": true})).await.ok()["report"].clone();
    assert_eq!(
        (&report["client_report_id"], &report["user"]["first_name"]),
        (&json!("mine"), &json!("Jo"))
    );
    let checking = &report["items"][0]["accounts"][0];
    let balances = checking["historical_balances"].as_array().unwrap();
    assert_eq!((balances.len(), &balances[0]["current"]), (61, &json!(110)));
    // Each day's balance is that of the day before, less what posted.
    let posted: f64 = checking["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|t| t["pending"] == false && t["date"] == balances[0]["date"])
        .map(|t| t["amount"].as_f64().unwrap())
        .sum();
    let yesterday = balances[1]["current"].as_f64().unwrap();
    assert!((yesterday - posted - 110.0).abs() < 0.01, "{yesterday} {posted}");
    let ira = &report["items"][0]["accounts"][5]["investments"];
    assert!(!ira["holdings"].as_array().unwrap().is_empty());

    let short = get(json!({"options": {"days_to_include": 10}})).await.ok();
    let days = &short["report"]["items"][0]["accounts"][0];
    assert_eq!(days["historical_balances"].as_array().unwrap().len(), 11);
    get(json!({"fast_report": true}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    plaid.of_item("/item/remove", &token).await.ok();
    get(json!({})).await.ok();

    let body = json!({"client_id": CLIENT_ID, "secret": SECRET, "asset_report_token": report_token});
    let pdf = plaid
        .http
        .post(plaid.url("/asset_report/pdf/get"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert_eq!(pdf.headers()["plaid-request-id"].len(), 15);
    assert!(pdf.bytes().await.unwrap().starts_with(b"%PDF-"));
}

#[tokio::test]
async fn reports_need_items_that_can() {
    let plaid = Plaid::start().await;
    let good = plaid.item_with(&["assets"]).await;
    let bad = plaid.item_with(&["transactions"]).await;
    let both = |all: bool| json!({"access_tokens": [good, bad], "days_requested": 1, "options": {"require_all_items": all}});
    plaid.call("/asset_report/create", both(true)).await.refused(
        400,
        "INVALID_INPUT",
        "ADDITIONAL_CONSENT_REQUIRED",
    );
    let created = plaid.call("/asset_report/create", both(false)).await.ok();
    let token = text(&created, "asset_report_token");
    plaid.clock.advance(Duration::from_secs(2));
    let get = json!({"asset_report_token": token});
    let report = plaid.call("/asset_report/get", get.clone()).await.ok();
    assert_eq!(report["report"]["items"].as_array().unwrap().len(), 1);
    plaid.call_as(OTHER, "/asset_report/get", get).await.refused(
        400,
        "INVALID_INPUT",
        "INVALID_ASSET_REPORT_TOKEN",
    );
    for (body, code) in [
        (
            json!({"access_tokens": [good], "days_requested": 732}),
            "INVALID_FIELD",
        ),
        (json!({"access_tokens": [], "days_requested": 1}), "INVALID_FIELD"),
        (
            json!({"access_tokens": vec![&good; 100], "days_requested": 1}),
            "INVALID_FIELD",
        ),
        (
            json!({"access_tokens": [good], "days_requested": 1, "options": {"add_ons": ["x"]}}),
            "INVALID_FIELD",
        ),
    ] {
        plaid
            .call("/asset_report/create", body)
            .await
            .refused(400, "INVALID_REQUEST", code);
    }
    let neither = plaid.call("/asset_report/get", json!({})).await;
    neither.refused(400, "INVALID_REQUEST", "MISSING_FIELDS");
}
