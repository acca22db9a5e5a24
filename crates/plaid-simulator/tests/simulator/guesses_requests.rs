//! Guesses about requests and tokens, observed.

use std::time::Duration;

use plaid_simulator::{CLIENT_ID, Options, SECRET};
use serde_json::{Value, json};

use crate::guesses::{Expected, outcome};
use crate::support::{OTHER, Plaid, link_token_request, text};

const UUID: &str = "de3ce8ef-33f8-452c-a685-8671031fc0f6";
const FIELD: &str = "INVALID_REQUEST/INVALID_FIELD";
const MISSING: &str = "INVALID_REQUEST/MISSING_FIELDS";
const UNKNOWN: &str = "INVALID_REQUEST/UNKNOWN_FIELDS";
const SETTINGS: &str = "INVALID_REQUEST/INVALID_CONFIGURATION";
const BODY: &str = "INVALID_REQUEST/INVALID_BODY";
const HEADERS: &str = "INVALID_REQUEST/INVALID_HEADERS";
const PRODUCT: &str = "INVALID_INPUT/INVALID_PRODUCT";
const KEYS: &str = "INVALID_INPUT/INVALID_API_KEYS";
const ACCESS: &str = "INVALID_INPUT/INVALID_ACCESS_TOKEN";
const OK: &str = "ok 200";

pub(crate) const CASES: &[Expected] = &[
    ("expired_public_token", &[("told", "true"), ("unknown", "false")]),
    ("wrong_token_kind", &[("told", "true"), ("format", "false")]),
    (
        "foreign_environment",
        &[("invalid_access_token", ACCESS), ("invalid_field", FIELD)],
    ),
    (
        "rotated_token",
        &[
            ("invalid_access_token", ACCESS),
            ("item_not_found", "ITEM_ERROR/ITEM_NOT_FOUND"),
        ],
    ),
    (
        "removed_item",
        &[
            ("item_not_found", "ITEM_ERROR/ITEM_NOT_FOUND"),
            ("invalid_access_token", ACCESS),
        ],
    ),
    (
        "unknown_link_token",
        &[
            ("invalid_link_token", "INVALID_INPUT/INVALID_LINK_TOKEN"),
            ("invalid_field", FIELD),
        ],
    ),
    (
        "unknown_asset_report",
        &[
            (
                "invalid_asset_report_token",
                "INVALID_INPUT/INVALID_ASSET_REPORT_TOKEN",
            ),
            ("invalid_field", FIELD),
        ],
    ),
    (
        "field_order",
        &[
            ("missing_first", MISSING),
            ("unknown_first", UNKNOWN),
            ("values_first", FIELD),
        ],
    ),
    (
        "keys_checked",
        &[("before_fields", KEYS), ("after_fields", MISSING)],
    ),
    ("keys_twice", &[("body", OK), ("headers", KEYS)]),
    (
        "null_required",
        &[("missing_fields", MISSING), ("invalid_field", FIELD)],
    ),
    (
        "no_content_type",
        &[("invalid_headers", HEADERS), ("invalid_body", BODY)],
    ),
    (
        "other_content_type",
        &[("invalid_body", BODY), ("invalid_headers", HEADERS)],
    ),
    (
        "settings_errors",
        &[("invalid_configuration", SETTINGS), ("by_field", UNKNOWN)],
    ),
    (
        "product_object_missing",
        &[("missing_fields", MISSING), ("invalid_configuration", SETTINGS)],
    ),
    (
        "products_missing",
        &[
            ("missing_fields", MISSING),
            ("invalid_field", FIELD),
            ("invalid_product", PRODUCT),
        ],
    ),
    (
        "list_overlap",
        &[
            ("invalid_field", FIELD),
            ("invalid_product", PRODUCT),
            ("invalid_configuration", SETTINGS),
        ],
    ),
    (
        "payment_initiation_beside",
        &[("invalid_product", PRODUCT), ("invalid_field", FIELD)],
    ),
    (
        "redirect_uri_form",
        &[("invalid_field", FIELD), ("invalid_configuration", SETTINGS)],
    ),
    (
        "redirect_and_android",
        &[("invalid_field", FIELD), ("invalid_configuration", SETTINGS)],
    ),
    ("list_wildcards", &[("one_label", FIELD), ("any_labels", OK)]),
    (
        "misplaced_field",
        &[
            ("invalid_field", FIELD),
            ("invalid_configuration", SETTINGS),
            ("taken", OK),
        ],
    ),
    ("user_contacts", &[("checked", FIELD), ("unchecked", OK)]),
    ("personal_data", &[("mail_and_phone", FIELD), ("unchecked", OK)]),
    (
        "unknown_user",
        &[("refused", "INVALID_INPUT/INVALID_USER_ID"), ("taken", OK)],
    ),
    ("known_user", &[("same_user", "true"), ("new_user", "false")]),
    (
        "user_token",
        &[
            ("unless_upgraded", "true false"),
            ("always", "true true"),
            ("never", "false false"),
        ],
    ),
    (
        "report_without_tokens",
        &[("missing_fields", MISSING), ("invalid_field", FIELD)],
    ),
    (
        "sandbox_not_initial",
        &[("invalid_product", PRODUCT), ("invalid_field", FIELD)],
    ),
    (
        "sandbox_unsupported",
        &[
            ("products_not_supported", "ITEM_ERROR/PRODUCTS_NOT_SUPPORTED"),
            ("invalid_product", PRODUCT),
            ("invalid_field", FIELD),
        ],
    ),
    (
        "fire_mismatch",
        &[
            ("sandbox_webhook_invalid", "SANDBOX_ERROR/SANDBOX_WEBHOOK_INVALID"),
            ("invalid_field", FIELD),
        ],
    ),
    (
        "error_passwords",
        &[
            ("any_code", "ITEM_ERROR/ITEM_CONCURRENTLY_DELETED"),
            ("listed", "ITEM_ERROR/INVALID_CREDENTIALS"),
        ],
    ),
];

/// What is seen of the guess with this name.
#[expect(clippy::too_many_lines, reason = "one arm for each guess")]
pub(crate) async fn of_requests(plaid: &Plaid, name: &str) -> String {
    let link = async |changes: Value| {
        let request = link_token_request(&changes);
        outcome(&plaid.call("/link/token/create", request).await)
    };
    let sandbox = async |product: &str, options: Value| {
        let body = json!({"institution_id": "ins_109508", "initial_products": [product], "options": options});
        outcome(&plaid.call("/sandbox/public_token/create", body).await)
    };
    let item = async |token: String| plaid.of_item("/item/get", &token).await;
    match name {
        "expired_public_token" => {
            let token = plaid.public_token().await;
            plaid.clock.advance(Duration::from_secs(30 * 60));
            said(&plaid.exchange(&token).await.body, "is expired")
        }
        "wrong_token_kind" => said(&item(format!("public-sandbox-{UUID}")).await.body, "wrong type"),
        "foreign_environment" => outcome(&item(format!("access-production-{UUID}")).await),
        "rotated_token" => {
            let token = plaid.access_token().await;
            plaid.of_item("/item/access_token/invalidate", &token).await.ok();
            outcome(&item(token).await)
        }
        "removed_item" => {
            let token = plaid.access_token().await;
            plaid.of_item("/item/remove", &token).await.ok();
            outcome(&item(token).await)
        }
        "unknown_link_token" => {
            let body = json!({"link_token": format!("link-sandbox-{UUID}")});
            outcome(&plaid.call("/link/token/get", body).await)
        }
        "unknown_asset_report" => {
            let body = json!({"asset_report_token": format!("assets-sandbox-{UUID}")});
            outcome(&plaid.call("/asset_report/get", body).await)
        }
        "field_order" => {
            let body = json!({"institution_id": 1, "more": 1});
            outcome(&plaid.call("/institutions/get_by_id", body).await)
        }
        "keys_checked" => outcome(&plaid.call_as((CLIENT_ID, "wrong"), "/item/get", json!({})).await),
        "keys_twice" => {
            let body = json!({"client_id": CLIENT_ID, "secret": SECRET, "client_user_id": "one"});
            let request = plaid.http.post(plaid.url("/user/create")).json(&body);
            sent(
                request
                    .header("plaid-client-id", OTHER.0)
                    .header("plaid-secret", "wrong"),
            )
            .await
        }
        "null_required" => outcome(&plaid.call("/item/get", json!({"access_token": null})).await),
        "no_content_type" => sent(plaid.http.post(plaid.url("/item/get")).body("{}")).await,
        "other_content_type" => {
            let request = plaid.http.post(plaid.url("/item/get")).body("{}");
            sent(request.header("content-type", "text/plain")).await
        }
        "settings_errors" => link(json!({"transactions": {"more": 1}})).await,
        "product_object_missing" => link(json!({"products": ["statements"]})).await,
        "products_missing" => link(json!({"products": []})).await,
        "list_overlap" => link(json!({"optional_products": ["auth"]})).await,
        "payment_initiation_beside" => link(json!({"products": ["auth", "payment_initiation"]})).await,
        "redirect_uri_form" => link(json!({"redirect_uri": "https://a.test/?b=c"})).await,
        "redirect_and_android" => {
            link(json!({"redirect_uri": "https://a.test/", "android_package_name": "test.a"})).await
        }
        "list_wildcards" => {
            let listed = Plaid::with(Options {
                guesses: plaid.simulator().switches().guesses,
                redirect_uris: Some(vec!["https://*.a.test/back".to_owned()]),
                ..Options::default()
            })
            .await;
            let request = link_token_request(&json!({"redirect_uri": "https://c.b.a.test/back"}));
            outcome(&listed.call("/link/token/create", request).await)
        }
        "misplaced_field" => {
            let name = json!({"given_name": "Anna", "family_name": "Charleston"});
            link(json!({"user": {"client_user_id": "a", "name": name}})).await
        }
        "user_contacts" => link(json!({"user": {"client_user_id": "a", "phone_number": "12345"}})).await,
        "personal_data" => link(json!({"user": {"client_user_id": "a@example.com"}})).await,
        "unknown_user" => link(json!({"user_id": "usr_9nSp2KuZ2x4JDw"})).await,
        "known_user" => {
            let body = json!({"client_user_id": "one"});
            let first = plaid.call("/user/create", body.clone()).await.ok();
            let second = plaid.call("/user/create", body).await.ok();
            let known = json!({"user_id": second["user_id"]});
            assert_eq!(link(known).await, OK);
            (first["user_id"] == second["user_id"]).to_string()
        }
        "user_token" => {
            let create = async |upgraded: bool| {
                let body = json!({"client_user_id": "one", "with_upgraded_user": upgraded});
                plaid
                    .call("/user/create", body)
                    .await
                    .ok()
                    .get("user_token")
                    .is_some()
            };
            format!("{} {}", create(false).await, create(true).await)
        }
        "report_without_tokens" => outcome(
            &plaid
                .call("/asset_report/create", json!({"days_requested": 1}))
                .await,
        ),
        "sandbox_not_initial" => sandbox("balance", json!({})).await,
        "sandbox_unsupported" => sandbox("payment_initiation", json!({})).await,
        "fire_mismatch" => {
            let body = json!({
                "institution_id": "ins_109508",
                "initial_products": ["auth"],
                "options": {"webhook": "http://127.0.0.1:9/"},
            });
            let created = plaid.call("/sandbox/public_token/create", body).await.ok();
            let item = plaid.exchange(&text(&created, "public_token")).await.ok();
            let body = json!({
                "access_token": item["access_token"],
                "webhook_type": "AUTH",
                "webhook_code": "LOGIN_REPAIRED",
            });
            outcome(&plaid.call("/sandbox/item/fire_webhook", body).await)
        }
        "error_passwords" => {
            sandbox(
                "auth",
                json!({"override_password": "error_ITEM_CONCURRENTLY_DELETED"}),
            )
            .await
        }
        other => panic!("{other} is not observed"),
    }
}

fn said(body: &Value, words: &str) -> String {
    text(body, "error_message").contains(words).to_string()
}

async fn sent(request: reqwest::RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.json().await.unwrap();
    outcome(&crate::support::Answer { status, body })
}
