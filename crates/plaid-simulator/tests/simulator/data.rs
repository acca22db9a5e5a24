//! Reads of an Item's data.

use plaid_simulator::Options;
use serde_json::{Value, json};

use crate::support::{Plaid, text};
use crate::validation::check_fields;

pub(crate) const ALL: &[&str] = &[
    "auth",
    "identity",
    "transactions",
    "investments",
    "liabilities",
    "assets",
    "statements",
    "signal",
    "transfer",
];

const TWO_YEARS: (&str, &str) = ("2023-06-16", "2025-06-15");

fn sum(values: &Value, pointer: &str) -> f64 {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.pointer(pointer).unwrap().as_f64().unwrap())
        .sum()
}

#[tokio::test]
async fn every_data_path_checks_its_fields() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let of_item = json!({"access_token": token});
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    let account_id = text(&accounts["accounts"][0], "account_id");
    let statements = plaid.of_item("/statements/list", &token).await.ok();
    assert_eq!(
        statements["accounts"][0]["statements"].as_array().unwrap().len(),
        5
    );
    let period = json!({"access_token": token, "start_date": "2025-01-01", "end_date": "2025-06-01"});
    let report = json!({"access_tokens": [token], "days_requested": 10});
    let without_tokens = json!({"days_requested": 10});
    plaid.call("/asset_report/create", without_tokens).await.refused(
        400,
        "INVALID_REQUEST",
        "MISSING_FIELDS",
    );
    let rows = vec![
        ("/auth/get", of_item.clone()),
        ("/identity/get", of_item.clone()),
        ("/liabilities/get", of_item.clone()),
        ("/investments/holdings/get", of_item.clone()),
        ("/transactions/sync", of_item.clone()),
        ("/statements/list", of_item),
        ("/transactions/get", period.clone()),
        ("/investments/transactions/get", period),
        ("/asset_report/create", report),
        (
            "/signal/evaluate",
            json!({"access_token": token, "account_id": account_id, "client_transaction_id": "a", "amount": 1.5}),
        ),
        (
            "/transfer/authorization/create",
            json!({"access_token": token, "account_id": account_id, "type": "credit", "network": "rtp",
                   "amount": "1.00", "user": {"legal_name": "Jo Doe"}}),
        ),
    ];
    check_fields(&plaid, rows).await;
}

#[tokio::test]
async fn each_bad_value_is_refused() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let period = json!({"start_date": "2025-01-01", "end_date": "2025-06-01"});
    for (path, changes) in [
        ("/accounts/get", json!({"options": {"account_ids": ["not-real"]}})),
        ("/accounts/get", json!({"options": {"account_ids": "x"}})),
        (
            "/accounts/balance/get",
            json!({"options": {"min_last_updated_datetime": "yesterday"}}),
        ),
        ("/auth/get", json!({"options": null})),
        ("/transactions/get", json!({"start_date": "2025-06-02"})),
        ("/transactions/get", json!({"start_date": "2025-13-01"})),
        ("/transactions/get", json!({"options": {"count": 0}})),
        ("/transactions/get", json!({"options": {"count": 501}})),
        ("/transactions/get", json!({"options": {"offset": -1}})),
        (
            "/transactions/get",
            json!({"options": {"personal_finance_category_version": "v3"}}),
        ),
        ("/transactions/sync", json!({"count": 501})),
        ("/transactions/sync", json!({"cursor": "nonsense"})),
        ("/transactions/sync", json!({"options": {"days_requested": 731}})),
        (
            "/investments/transactions/get",
            json!({"options": {"async_update": "no"}}),
        ),
        ("/statements/download", json!({"statement_id": "nonsense"})),
    ] {
        let mut body = json!({"access_token": token});
        if path.ends_with("transactions/get") {
            body["start_date"] = period["start_date"].clone();
            body["end_date"] = period["end_date"].clone();
        }
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = plaid.call(path, body).await;
        assert_eq!(answer.body["error_code"], "INVALID_FIELD", "{path} {changes}");
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let unknown = json!({"access_token": token, "options": {"account_ids": ["a".repeat(37)]}});
    plaid
        .call("/accounts/get", unknown)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCOUNT_ID");
}

#[tokio::test]
async fn products_need_the_bank_the_consent_and_the_accounts() {
    let plaid = Plaid::start().await;
    let without = plaid.item_with(&["transactions"]).await;
    for path in [
        "/auth/get",
        "/identity/get",
        "/liabilities/get",
        "/investments/holdings/get",
        "/statements/list",
    ] {
        plaid
            .of_item(path, &without)
            .await
            .refused(400, "INVALID_INPUT", "ADDITIONAL_CONSENT_REQUIRED");
    }
    let link_token = plaid
        .link_token(json!({"products": ["transactions"], "additional_consented_products": ["identity"]}))
        .await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    let exchanged = plaid.exchange(success.public_token.unwrap().expose()).await.ok();
    let consented = text(&exchanged, "access_token");
    plaid.of_item("/identity/get", &consented).await.ok();
    let item = plaid.of_item("/item/get", &consented).await.ok();
    assert_eq!(
        item["item"]["billed_products"],
        json!(["transactions", "identity"])
    );

    let british = json!({"institution_id": "ins_117650", "initial_products": ["transactions"]});
    let created = plaid.call("/sandbox/public_token/create", british).await.ok();
    let exchanged = plaid.exchange(&text(&created, "public_token")).await.ok();
    let british = text(&exchanged, "access_token");
    plaid
        .of_item("/liabilities/get", &british)
        .await
        .refused(400, "ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED");
    plaid
        .of_item("/identity/get", &british)
        .await
        .refused(400, "ITEM_ERROR", "PRODUCT_NOT_ENABLED");

    let account = |kind: &str, subtype: &str| {
        json!({"override_accounts": [{"type": kind, "subtype": subtype}]}).to_string()
    };
    for (path, password, code) in [
        ("/auth/get", account("loan", "student"), "NO_AUTH_ACCOUNTS"),
        (
            "/investments/holdings/get",
            account("loan", "student"),
            "NO_INVESTMENT_ACCOUNTS",
        ),
        (
            "/liabilities/get",
            account("depository", "checking"),
            "NO_LIABILITY_ACCOUNTS",
        ),
    ] {
        let token = plaid.item_of("user_custom", &password, ALL).await;
        plaid.of_item(path, &token).await.refused(400, "ITEM_ERROR", code);
    }
}

#[tokio::test]
async fn nothing_is_read_while_a_login_is_needed() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    plaid.of_item("/sandbox/item/reset_login", &token).await.ok();
    for path in [
        "/auth/get",
        "/identity/get",
        "/transactions/sync",
        "/liabilities/get",
        "/investments/holdings/get",
        "/statements/list",
    ] {
        plaid
            .of_item(path, &token)
            .await
            .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
    }
}

#[tokio::test]
async fn the_published_figures_are_told() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let auth = plaid.of_item("/auth/get", &token).await.ok();
    let ach = auth["numbers"]["ach"].as_array().unwrap();
    assert_eq!(ach.len(), 2);
    assert_eq!(ach[0]["account"], "1111222233330000");
    assert_eq!(
        (&ach[1]["routing"], &ach[1]["wire_routing"]),
        (&json!("011401533"), &json!("021000021"))
    );
    let identity = plaid.of_item("/identity/get", &token).await.ok();
    let owner = &identity["accounts"][0]["owners"][0];
    assert_eq!(owner["names"], json!(["Alberta Bobbeth Charleson"]));
    assert_eq!(owner["emails"][0]["data"], "accountholder0@example.com");
}

#[tokio::test]
async fn holdings_and_loans_add_up() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let held = plaid.of_item("/investments/holdings/get", &token).await.ok();
    assert!((sum(&held["holdings"], "/institution_value") - 23_952.740_5).abs() < 0.000_1);
    let ids: Vec<_> = held["securities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["security_id"])
        .collect();
    for holding in held["holdings"].as_array().unwrap() {
        assert!(ids.contains(&&holding["security_id"]));
    }
    let trades = json!({"access_token": token, "start_date": TWO_YEARS.0, "end_date": TWO_YEARS.1,
                        "options": {"count": 10, "offset": 5}});
    let trades = plaid.call("/investments/transactions/get", trades).await.ok();
    assert_eq!(trades["investment_transactions"].as_array().unwrap().len(), 10);
    assert!(trades["total_investment_transactions"].as_u64().unwrap() > 100);

    let owed = plaid.of_item("/liabilities/get", &token).await.ok();
    let mortgage = &owed["liabilities"]["mortgage"][0];
    let this_year =
        sum(&json!([mortgage]), "/ytd_interest_paid") + sum(&json!([mortgage]), "/ytd_principal_paid");
    assert!((this_year - 6.0 * sum(&json!([mortgage]), "/next_monthly_payment")).abs() < 0.01);
    assert_eq!(
        owed["liabilities"]["credit"][0]["aprs"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn one_seed_is_one_life() {
    let read = async |seed: u64| {
        let plaid = Plaid::with(Options {
            seed,
            ..Options::default()
        })
        .await;
        let token = plaid.item_with(&["transactions"]).await;
        let body = json!({"access_token": token, "start_date": TWO_YEARS.0, "end_date": TWO_YEARS.1});
        let got = plaid.call("/transactions/get", body).await.ok();
        let list = got["transactions"].as_array().unwrap().clone();
        list.iter()
            .map(|transaction| format!("{} {}", transaction["date"], transaction["amount"]))
            .collect::<Vec<_>>()
    };
    let first = read(1).await;
    assert_eq!(first, read(1).await);
    assert_ne!(first, read(2).await);
}

#[tokio::test]
async fn statements_are_pdfs_with_their_hash() {
    use sha2::{Digest as _, Sha256};
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let listed = plaid.of_item("/statements/list", &token).await.ok();
    let statement = &listed["accounts"][0]["statements"][0];
    assert_eq!(
        (&statement["year"], &statement["month"]),
        (&json!(2025), &json!(5))
    );
    let (id, secret) = (plaid_simulator::CLIENT_ID, plaid_simulator::SECRET);
    let body = json!({"client_id": id, "secret": secret, "access_token": token,
                      "statement_id": statement["statement_id"]});
    let url = plaid.url("/statements/download");
    let response = plaid.http.post(url).json(&body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let hash = response.headers()["plaid-content-hash"]
        .to_str()
        .unwrap()
        .to_owned();
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let digest = Sha256::digest(&bytes);
    let told: Vec<_> = (0..hash.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(told, digest[..]);
}

#[tokio::test]
async fn capital_one_wants_to_know_how_old_balances_may_be() {
    let plaid = Plaid::start().await;
    let body = json!({"institution_id": "ins_128026", "initial_products": ["transactions"]});
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let exchanged = plaid.exchange(&text(&created, "public_token")).await.ok();
    let token = text(&exchanged, "access_token");
    let balances = |options: Value| {
        plaid.call(
            "/accounts/balance/get",
            json!({"access_token": token, "options": options}),
        )
    };
    balances(json!({}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let old = balances(json!({"min_last_updated_datetime": "2025-06-14T00:00:00Z"}))
        .await
        .ok();
    assert_eq!(
        old["accounts"][3]["balances"]["last_updated_datetime"],
        "2025-06-15T00:00:00Z"
    );
    balances(json!({"min_last_updated_datetime": "2025-06-15T12:00:00Z"}))
        .await
        .refused(400, "INVALID_RESULT", "LAST_UPDATED_DATETIME_OUT_OF_RANGE");
}
