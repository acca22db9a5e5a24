//! `scope`: which products a client is granted, and what the token response says about it.

use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Answer, Browser, TestBroker, encode, query_value};

#[tokio::test]
async fn scope_narrows_the_products_and_the_granted_scope_is_told() {
    let broker = TestBroker::start_with(&[
        ("PLAID_PRODUCTS", "auth,transactions"),
        ("PLAID_OPTIONAL_PRODUCTS", "identity"),
    ])
    .await;
    for (scope, products, optional, granted) in [
        (
            "",
            json!(["auth", "transactions"]),
            json!(["identity"]),
            "auth transactions identity",
        ),
        (
            "openid offline_access",
            json!(["auth", "transactions"]),
            json!(["identity"]),
            "auth transactions identity",
        ),
        (
            "openid profile email",
            json!(["auth", "transactions"]),
            json!(["identity"]),
            "auth transactions identity",
        ),
        (
            "openid transactions",
            json!(["transactions"]),
            json!(null),
            "transactions",
        ),
        (
            "TRANSACTIONS",
            json!(["transactions"]),
            json!(null),
            "transactions",
        ),
        (
            "transactions,auth",
            json!(["transactions"]),
            json!(null),
            "auth transactions",
        ),
        (
            "read; transactions",
            json!(["transactions"]),
            json!(null),
            "transactions",
        ),
        ("identity", json!(["identity"]), json!(null), "identity"),
        (
            "auth identity liabilities",
            json!(["auth"]),
            json!(["identity"]),
            "auth identity",
        ),
    ] {
        let browser = Browser::open(&broker, &format!("?state=s&{}", encode(&[("scope", scope)]))).await;
        browser.create_link_token().await.text("link_token");
        let sent = broker.simulator.requests().pop().unwrap();
        assert_eq!(sent.path, "/link/token/create");
        assert_eq!(sent.body["products"], products, "{scope}");
        assert_eq!(sent.body["optional_products"], optional, "{scope}");
        let completed = browser.complete(&broker.public_token().await).await;
        let code = query_value(&completed.text("redirect_to"), "code").unwrap();
        assert_eq!(
            broker.token(&[("code", &code)]).await.text("scope"),
            granted,
            "{scope}"
        );
    }
    for scope in ["liabilities", "liabilities,read", "auth+transactions"] {
        let query = encode(&[("state", "s"), ("scope", scope)]);
        let refused = Answer::of(broker.get(&format!("/?{query}"))).await;
        let location = refused.header("location").unwrap();
        assert_eq!(
            query_value(location, "error").as_deref(),
            Some("invalid_scope"),
            "{scope}"
        );
    }
}

/// A restart with other products must not grant more than the person agreed to.
#[tokio::test]
async fn a_scope_of_which_nothing_is_configured_any_more_grants_nothing_else() {
    let dir = Arc::new(TempDir::new().unwrap());
    let before = TestBroker::start_in(dir.clone(), &[("PLAID_PRODUCTS", "auth,identity")]).await;
    let code = before.code_of("?state=s&scope=identity").await;
    let waiting = Browser::open(&before, "?state=s&scope=identity").await;
    let (handle, cookie) = (waiting.handle.clone(), waiting.cookie_header());
    let sealed = json!({ "request": waiting.request });
    assert!(before.stop().await);

    let after = TestBroker::start_in(dir, &[("PLAID_PRODUCTS", "auth,transactions")]).await;
    assert_eq!(after.token(&[("code", &code)]).await.text("scope"), "identity");
    let request = after
        .post("/api/create_link_token")
        .header("x-broker-handle", handle)
        .json(&sealed);
    let answer = Answer::of(request.header("cookie", cookie)).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (409, "transaction_over"),
        "{}",
        answer.body
    );
    assert_eq!(after.simulator.count("/link/token/create"), 0);
}
