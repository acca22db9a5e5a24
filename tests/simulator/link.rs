//! Link's page and its calls, without a browser.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, OTHER, Plaid, link_token_request, text};

/// One run of Link.
struct Link<'a> {
    plaid: &'a Plaid,
    token: String,
    session_id: String,
}

impl<'a> Link<'a> {
    async fn open(plaid: &'a Plaid, link_token: String) -> Self {
        let mut link = Self {
            plaid,
            token: link_token,
            session_id: String::new(),
        };
        link.session_id = text(&link.step("start", json!({})).await.ok(), "link_session_id");
        link
    }

    async fn step(&self, step: &str, mut body: Value) -> Answer {
        body["link_token"] = self.token.clone().into();
        body["link_session_id"] = self.session_id.clone().into();
        self.plaid
            .post(&format!("/_simulator/link/session/{step}"), &body)
            .await
    }

    async fn login(&self, username: &str, password: &str) -> Answer {
        self.login_at("ins_109508", username, password).await
    }

    async fn login_at(&self, institution_id: &str, username: &str, password: &str) -> Answer {
        let body = json!({"institution_id": institution_id, "username": username, "password": password});
        self.step("login", body).await
    }

    async fn sessions(&self) -> Value {
        let got = self
            .plaid
            .call("/link/token/get", json!({"link_token": self.token}))
            .await;
        got.ok()["link_sessions"].clone()
    }
}

fn account_ids(answer: &Value) -> Vec<String> {
    answer["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| text(account, "id"))
        .collect()
}

#[tokio::test]
async fn a_person_connects_a_bank() {
    let plaid = Plaid::start().await;
    let changes =
        json!({"optional_products": ["identity"], "additional_consented_products": ["liabilities"]});
    let link_token = plaid.link_token(changes).await;
    let link = Link::open(&plaid, link_token).await;
    let found = link.step("institutions", json!({"query": "platypus"})).await.ok();
    let first = &found["institutions"][0];
    assert_eq!(
        first,
        &json!({"institution_id": "ins_109508", "name": "First Platypus Bank"})
    );

    let logged_in = link.login("user_good", "pass_good").await.ok();
    assert_eq!(logged_in["next"], "accounts");
    let ids = account_ids(&logged_in);
    assert_eq!(ids.len(), 2, "auth leaves checking and savings: {logged_in}");
    link.step("accounts", json!({"account_ids": [ids[1]]})).await.ok();
    let finished = link.step("finish", json!({})).await.ok();
    let metadata = &finished["metadata"];
    assert_eq!(
        metadata["institution"],
        json!({"name": "First Platypus Bank", "institution_id": "ins_109508"})
    );
    assert_eq!(metadata["link_session_id"], link.session_id);
    assert_eq!(metadata["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(metadata["accounts"][0]["name"], "Plaid Saving");

    let sessions = link.sessions().await;
    assert_eq!(
        sessions[0]["results"]["item_add_results"][0]["public_token"],
        finished["public_token"]
    );
    assert!(sessions[0]["exit"].is_null());
    let events: Vec<_> = sessions[0]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(event, "event_name"))
        .collect();
    assert_eq!(
        events,
        ["HANDOFF", "SUBMIT_CREDENTIALS", "SELECT_INSTITUTION", "OPEN"]
    );

    let public_token = text(&finished, "public_token");
    plaid
        .call_as(
            OTHER,
            "/item/public_token/exchange",
            json!({"public_token": public_token}),
        )
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    let access_token = text(&plaid.exchange(&public_token).await.ok(), "access_token");
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(accounts["accounts"][0]["account_id"], ids[1]);
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(
        item["item"]["billed_products"],
        json!(["auth", "transactions", "identity"])
    );
    assert_eq!(
        item["item"]["consented_products"],
        json!(["auth", "transactions", "identity", "liabilities"])
    );
}

#[tokio::test]
async fn wrong_credentials_can_be_tried_again() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let link = Link::open(&plaid, link_token).await;
    link.login("user_good", "wrong")
        .await
        .refused(400, "ITEM_ERROR", "INVALID_CREDENTIALS");
    link.login("user_good", "error_ITEM_LOCKED")
        .await
        .refused(400, "ITEM_ERROR", "ITEM_LOCKED");
    link.login_at("ins_132361", "user_good", "pass_good")
        .await
        .refused(400, "INSTITUTION_ERROR", "INSTITUTION_DOWN");
    assert_eq!(link.login("user_good", "mfa_device").await.ok()["next"], "code");
    link.step("code", json!({"code": "4321"}))
        .await
        .refused(400, "ITEM_ERROR", "INVALID_MFA");
    assert_eq!(
        link.step("code", json!({"code": " 1234 "})).await.ok()["next"],
        "accounts"
    );
}

#[tokio::test]
async fn a_person_leaves() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let link = Link::open(&plaid, link_token.clone()).await;
    link.login("user_good", "wrong")
        .await
        .refused(400, "ITEM_ERROR", "INVALID_CREDENTIALS");
    let left = link
        .step("exit", json!({"status": "requires_credentials"}))
        .await
        .ok();
    assert_eq!(left["error"]["error_code"], "INVALID_CREDENTIALS");
    assert_eq!(left["metadata"]["status"], "requires_credentials");
    assert_eq!(left["metadata"]["institution"]["institution_id"], "ins_109508");
    assert_eq!(left["metadata"]["request_id"], left["request_id"]);
    link.login("user_good", "pass_good")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let again = Link::open(&plaid, link_token).await;
    let left = again.step("exit", json!({"status": "nonsense"})).await.ok();
    assert!(left["error"].is_null() && left["metadata"]["status"].is_null());
    let sessions = again.sessions().await;
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    assert_eq!(sessions[0]["exit"]["metadata"]["status"], "requires_credentials");
    assert!(sessions[0]["results"].is_null());
    assert!(
        sessions[1]["exit"]["metadata"].get("status").is_none(),
        "no status is an absent one: {sessions}"
    );
}

#[tokio::test]
async fn every_step_wants_a_live_link_token_and_its_turn() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let link = Link::open(&plaid, link_token.clone()).await;
    for step in ["finish", "code", "accounts"] {
        link.step(step, json!({}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    link.login("user_good", "pass_good").await.ok();
    for chosen in [json!([]), json!(["unknown"])] {
        let answer = link.step("accounts", json!({"account_ids": chosen})).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    link.step("elsewhere", json!({}))
        .await
        .refused(404, "INVALID_REQUEST", "NOT_FOUND");
    plaid.clock.advance(Duration::from_secs(4 * 60 * 60));
    for step in ["start", "institutions", "login", "code", "accounts", "finish"] {
        link.step(step, json!({}))
            .await
            .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    }
    link.step("exit", json!({})).await.ok();
    let unknown = json!({"link_token": "link-sandbox-af1a0311-da53-4636-b754-dd15cc058176"});
    plaid
        .post("/_simulator/link/session/start", &unknown)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
}

#[tokio::test]
async fn update_mode_heals_the_item() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let mut request = link_token_request(&json!({"access_token": access_token}));
    request.as_object_mut().unwrap().remove("products");
    let link_token = text(
        &plaid.call("/link/token/create", request).await.ok(),
        "link_token",
    );
    let link = Link::open(&plaid, link_token).await;
    assert_eq!(
        link.login("user_good", "pass_good").await.ok()["next"],
        "connected"
    );
    let finished = link.step("finish", json!({})).await.ok();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert!(item["item"]["error"].is_null());
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    assert_eq!(exchanged["access_token"], access_token);
}

#[tokio::test]
async fn link_can_be_run_in_process() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    assert_eq!(success.metadata["accounts"].as_array().unwrap().len(), 2);
    let exchanged = plaid.exchange(success.public_token.expose()).await.ok();
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

    let nowhere = plaid.link_token(json!({"country_codes": ["FI"]})).await;
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
        ("panes.js", "text/javascript; charset=utf-8"),
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
        if file == "link.html" {
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
