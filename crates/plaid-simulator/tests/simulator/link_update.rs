//! Choice of accounts, update mode, Link without a browser, and Link's page and files.

use serde_json::{Value, json};

use crate::link_support::{Link, account_ids, update_token};
use crate::support::{Plaid, link_token_request, text};

const BANK: &str = "ins_109508";

#[tokio::test]
async fn logins_without_a_fitting_account_are_told_which_kind_is_missing() {
    let plaid = Plaid::start().await;
    let credit = json!({"credit": {"account_subtypes": ["all"]}});
    let savings = json!({"depository": {"account_subtypes": ["savings"]}});
    let none = json!({"other": {"account_subtypes": ["all"]}});
    for (products, filters, expected) in [
        (json!(["transactions"]), &none, "NO_ACCOUNTS"),
        (json!(["auth"]), &credit, "NO_AUTH_ACCOUNTS"),
        (json!(["liabilities"]), &savings, "NO_LIABILITY_ACCOUNTS"),
        (json!(["investments"]), &savings, "NO_INVESTMENT_ACCOUNTS"),
    ] {
        let changes = json!({"products": products, "account_filters": filters});
        let link_token = plaid.link_token(changes).await;
        let mut link = Link::at(&plaid, &link_token, BANK).await;
        assert_eq!(link.refused_login("pass_good").await, expected);
    }
    let changes = json!({"products": ["transactions"], "account_filters": credit});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    assert_eq!(account_ids(&link.login("pass_good").await).len(), 1);
}

#[tokio::test]
async fn a_customization_may_ask_for_one_account() {
    let plaid = Plaid::start().await;
    let link_token = plaid
        .link_token(json!({"link_customization_name": "single_account"}))
        .await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    let pane = link.login("pass_good").await;
    assert_eq!(pane["single"], true);
    let ids = account_ids(&pane);
    link.step("accounts", json!({"account_ids": ids}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let pane = link.pane("accounts", json!({"account_ids": [ids[0]]})).await;
    assert_eq!(pane["view"], "CONNECTED");
}

#[tokio::test]
async fn update_mode_heals_the_item() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let link_token = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let pane = link.pane("continue", json!({})).await;
    assert_eq!(pane["view"], "CREDENTIAL");
    assert_eq!(pane["institution"]["institution_id"], BANK);
    link.step("back", json!({}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    assert_eq!(link.login("pass_good").await["view"], "CONNECTED");
    let finished = link.step("finish", json!({})).await.ok();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert!(item["item"]["error"].is_null());
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    assert_eq!(exchanged["access_token"], access_token);
}

#[tokio::test]
async fn update_mode_changes_the_accounts_when_it_is_asked_to() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"products": ["transactions"]})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    let ids = account_ids(&link.login("pass_good").await);
    link.pane("accounts", json!({"account_ids": [ids[0]]})).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let access_token = text(&exchanged, "access_token");

    let changes = json!({"update": {"account_selection_enabled": true}});
    let update = update_token(&plaid, &access_token, changes).await;
    let mut link = Link::open(&plaid, &update).await;
    link.pane("continue", json!({})).await;
    let pane = link.login("pass_good").await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    assert_eq!(account_ids(&pane), ids, "the ids stay");
    let selected: Vec<&Value> = pane["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|account| account["selected"] == true)
        .collect();
    assert_eq!(selected.len(), 1);
    link.pane("accounts", json!({"account_ids": [ids[1], ids[2]]}))
        .await;
    link.step("finish", json!({})).await.ok();
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let now: Vec<_> = accounts["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| text(account, "account_id"))
        .collect();
    assert_eq!(now, &ids[1..3]);
}

#[tokio::test]
async fn link_can_be_run_in_process() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    assert_eq!(success.metadata["accounts"].as_array().unwrap().len(), 2);
    let exchanged = plaid.exchange(success.public_token.unwrap().expose()).await.ok();
    let access_token = text(&exchanged, "access_token");
    let item = plaid.simulator().item_by_access_token(&access_token).unwrap();
    assert_eq!(item.institution_id, "ins_109508");
    assert_eq!(item.account_ids.len(), 2);

    let mut update = link_token_request(&json!({"access_token": access_token}));
    update.as_object_mut().unwrap().remove("products");
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let update = text(&plaid.call("/link/token/create", update).await.ok(), "link_token");
    assert!(plaid.simulator().complete_link(&update).is_some());
    assert!(
        !plaid
            .simulator()
            .item_by_access_token(&access_token)
            .unwrap()
            .login_required
    );

    let nowhere = json!({"country_codes": ["FI"], "products": ["liabilities"]});
    let nowhere = plaid.link_token(nowhere).await;
    assert!(plaid.simulator().complete_link(&nowhere).is_none());
    assert!(plaid.simulator().complete_link("link-sandbox-nonsense").is_none());
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_strict_policies() {
    let plaid = Plaid::start().await;
    for (file, content_type) in [
        ("link-initialize.js", "text/javascript; charset=utf-8"),
        ("link.html", "text/html; charset=utf-8"),
        ("link.js", "text/javascript; charset=utf-8"),
        ("flow.js", "text/javascript; charset=utf-8"),
        ("bank.html", "text/html; charset=utf-8"),
        ("panes.js", "text/javascript; charset=utf-8"),
        ("manual.js", "text/javascript; charset=utf-8"),
        ("link.css", "text/css; charset=utf-8"),
    ] {
        let response = plaid
            .http
            .get(plaid.url(&format!("/_simulator/link/{file}")))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{file}");
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let policy = response.headers().get("content-security-policy").cloned();
        if content_type.starts_with("text/html") {
            let policy = policy.unwrap();
            let policy = policy.to_str().unwrap();
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
        }
    }
    let broker = axum::Router::new().nest("/_simulator/link", plaid.simulator().link_routes());
    let request = http::Request::get("/_simulator/link/link.html")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(broker, request).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
}

#[tokio::test]
async fn links_calls_take_nothing_that_a_form_can_send() {
    let plaid = Plaid::start().await;
    let body = json!({"link_token": plaid.link_token(json!({})).await}).to_string();
    let request = plaid.http.post(plaid.url("/_simulator/link/session/start"));
    let response = request
        .header("content-type", "text/plain")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn update_mode_asks_for_more_consent() {
    let plaid = Plaid::start().await;
    let access_token = plaid.item_with(&["transactions"]).await;
    let identity = async || plaid.of_item("/identity/get", &access_token).await;
    identity()
        .await
        .refused(400, "INVALID_INPUT", "ADDITIONAL_CONSENT_REQUIRED");
    let changes = json!({"additional_consented_products": ["identity", "transactions"]});
    let update = update_token(&plaid, &access_token, changes).await;
    plaid.simulator().complete_link(&update).unwrap();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(item["item"]["billed_products"], json!(["transactions"]));
    assert_eq!(
        item["item"]["consented_products"],
        json!(["transactions", "identity"])
    );
    identity().await.ok();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(
        item["item"]["billed_products"],
        json!(["transactions", "identity"])
    );
}

#[tokio::test]
async fn update_mode_adds_assets_and_statements() {
    let plaid = Plaid::start().await;
    let access_token = plaid.item_with(&["transactions"]).await;
    let mut request = link_token_request(&json!({
        "access_token": access_token,
        "products": ["assets", "statements", "auth"],
        "statements": {"start_date": "2025-01-01", "end_date": "2025-03-31"},
    }));
    request["client_name"] = "More".into();
    let update = plaid.call("/link/token/create", request).await.ok();
    plaid
        .simulator()
        .complete_link(&text(&update, "link_token"))
        .unwrap();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    // With `auth` an update only looks whether the Item could have it.
    assert_eq!(
        item["item"]["billed_products"],
        json!(["transactions", "assets", "statements"])
    );
    let report = json!({"access_tokens": [access_token], "days_requested": 10});
    plaid.call("/asset_report/create", report).await.ok();
    let listed = plaid.of_item("/statements/list", &access_token).await.ok();
    let months: Vec<_> = listed["accounts"][0]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| statement["month"].clone())
        .collect();
    assert_eq!(months, [json!(3), json!(2), json!(1)]);
}

#[tokio::test]
async fn an_item_of_reports_has_its_accounts_for_good() {
    let plaid = Plaid::start().await;
    let access_token = plaid.item_with(&["assets"]).await;
    let mut request = link_token_request(&json!({"access_token": access_token}));
    request.as_object_mut().unwrap().remove("products");
    plaid.call("/link/token/create", request.clone()).await.ok();
    request["update"] = json!({"account_selection_enabled": true});
    plaid
        .call("/link/token/create", request)
        .await
        .refused(400, "ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED");
}

#[tokio::test]
async fn products_that_no_chosen_account_has_are_left_out() {
    let plaid = Plaid::start().await;
    for (account, expected) in [
        (8, json!(["transactions", "liabilities"])),
        (0, json!(["transactions", "auth", "statements"])),
        (6, json!(["transactions", "investments"])),
    ] {
        let link_token = plaid
            .link_token(json!({
                "products": ["transactions"],
                "required_if_supported_products": ["auth", "liabilities"],
                "optional_products": ["investments", "statements"],
                "statements": {"start_date": "2025-01-01", "end_date": "2025-03-31"},
            }))
            .await;
        let mut link = Link::at(&plaid, &link_token, BANK).await;
        let ids = account_ids(&link.login("pass_good").await);
        link.pane("accounts", json!({"account_ids": [ids[account]]}))
            .await;
        let finished = link.step("finish", json!({})).await.ok();
        let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
        let item = plaid
            .of_item("/item/get", &text(&exchanged, "access_token"))
            .await
            .ok();
        assert_eq!(item["item"]["billed_products"], expected);
    }
}
