//! The main job without a browser: from the authorization request to the refresh.

use plaid_token_broker::simulator;
use serde_json::json;

use crate::harness::{Answer, Browser, CALLBACK, TestBroker, encode, query_value};

#[tokio::test]
async fn from_authorization_to_refresh() {
    let broker = TestBroker::start().await;
    let query = format!("?{}", encode(&[("redirect_uri", CALLBACK), ("state", "a b+c/é")]));
    let browser = Browser::open(&broker, &query).await;
    let link_token = browser.create_link_token().await;
    assert!(link_token.text("link_token").starts_with("link-sandbox-"));

    let public_token = broker.public_token().await;
    let completed = browser.complete(&public_token).await;
    let redirect_to = completed.text("redirect_to");
    assert!(redirect_to.starts_with(CALLBACK), "{redirect_to}");
    assert_eq!(query_value(&redirect_to, "state").unwrap(), "a b+c/é");
    assert_eq!(
        query_value(&redirect_to, "iss").unwrap(),
        broker.url.replace("127.0.0.1", "localhost")
    );
    assert!(!completed.body.contains("access-sandbox"), "{}", completed.body);

    let code = query_value(&redirect_to, "code").unwrap();
    let tokens = broker
        .token(&[("grant_type", "authorization_code"), ("code", &code)])
        .await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.json["token_type"], "Bearer");
    assert_eq!(tokens.json["closeWindow"], true);
    assert_eq!(tokens.json["expires_in"], json!(null));
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let access_token = tokens.text("access_token");

    // As Kore.ai does: the token in the payload, Plaid's keys in headers.
    let balance = Answer::of(
        broker
            .http
            .post(format!("{}/accounts/balance/get", broker.simulator_url))
            .header("PLAID-CLIENT-ID", simulator::CLIENT_ID)
            .header("PLAID-SECRET", simulator::SECRET)
            .json(&json!({ "access_token": access_token })),
    )
    .await;
    assert_eq!(balance.status, 200, "{}", balance.body);
    assert_eq!(balance.json["item"]["item_id"], tokens.json["item_id"]);

    let refresh_token = tokens.text("refresh_token");
    let refreshed = broker
        .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)])
        .await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    assert_eq!(refreshed.text("access_token"), access_token);
    assert_eq!(refreshed.text("refresh_token"), refresh_token);
    assert!(broker.stop().await, "all work ended");
}

#[tokio::test]
async fn the_browser_login_flow_ends_on_the_connections_page() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "").await;
    let public_token = broker.public_token().await;
    let landed = browser.complete(&public_token).await;
    assert_eq!(landed.json["next"], "explorer");
    browser.keep_cookies(&landed);
    let page = Answer::of(broker.get("/explorer").header("cookie", browser.cookie_header())).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        page.body.contains("First Platypus Bank") && page.body.contains("Plaid Checking"),
        "{}",
        page.body
    );

    let info = Answer::of(browser.call("/api/info").json(&json!({}))).await;
    assert_eq!(info.json["item_id"], landed.json["item_id"]);
    assert!(!info.body.contains("access-"), "{}", info.body);
    let stranger = Answer::of(broker.get("/explorer")).await;
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn what_was_answered_survives_a_restart() {
    let broker = TestBroker::start().await;
    let (redeemed, code) = (broker.code().await, broker.code().await);
    let public_token = broker.public_token().await;
    let raw = [
        ("code", public_token.as_str()),
        ("client_secret", simulator::SECRET),
    ];
    let exchanged = broker.token(&raw).await;
    assert_eq!(broker.token(&[("code", &redeemed)]).await.status, 200);
    let dir = broker.dir.clone();
    assert!(broker.stop().await);

    // Its simulator is new and knows none of it: what is answered comes from the store.
    let broker = TestBroker::start_in(dir, &[]).await;
    assert_eq!(broker.token(&raw).await.body, exchanged.body);
    let again = broker.token(&[("code", &redeemed)]).await;
    assert_eq!(
        again.oauth_error(),
        (400, "invalid_grant"),
        "used before the restart"
    );
    let tokens = broker.token(&[("code", &code)]).await;
    assert!(
        tokens.text("access_token").starts_with("access-sandbox-"),
        "{}",
        tokens.body
    );
    assert_eq!(broker.simulator.count("/item/public_token/exchange"), 0);
}

#[test]
fn settings_and_simulator_agree_on_the_simulators_keys() {
    use plaid_token_broker::config::{SIMULATOR_CLIENT_ID, SIMULATOR_SECRET};
    assert_eq!(
        (SIMULATOR_CLIENT_ID, SIMULATOR_SECRET),
        (simulator::CLIENT_ID, simulator::SECRET)
    );
}
