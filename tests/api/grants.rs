//! Revocation, introspection and metadata.

use plaid_token_broker::random;
use plaid_token_broker::secret::PlaidAccessToken;
use plaid_token_broker::simulator::{self, Fault};
use plaid_token_broker::store::model::{
    ConnectionId, GrantId, NewConnection, NewGrant, PublicTokenHash, RawExchange,
};
use serde_json::json;

use crate::code::{CHALLENGE, VERIFIER};
use crate::harness::{Answer, TestBroker, encode};
use crate::token::{SECOND, with_clients};

const FIRST: [(&str, &str); 2] = [
    ("client_id", simulator::CLIENT_ID),
    ("client_secret", simulator::SECRET),
];

async fn post(broker: &TestBroker, path: &str, form: &[(&str, &str)]) -> Answer {
    let request = broker.post(path).body(encode(form));
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await
}

async fn revoke(broker: &TestBroker, token: &str) -> Answer {
    post(broker, "/oauth/revoke", &[FIRST[0], FIRST[1], ("token", token)]).await
}

async fn introspect(broker: &TestBroker, token: &str) -> Answer {
    post(
        broker,
        "/oauth/introspect",
        &[FIRST[0], FIRST[1], ("token", token)],
    )
    .await
}

#[tokio::test]
async fn revoking_ends_the_grant_at_once_and_the_item_at_plaid() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    let revoked = revoke(&broker, &token).await;
    assert_eq!((revoked.status, revoked.body.as_str()), (200, "{}"));
    assert_eq!(broker.refresh(&token).await.oauth_error(), (400, "invalid_grant"));
    // The broker's own worker is notified at once.
    crate::removal::until_live(&broker, 0).await;
    assert_eq!(revoke(&broker, &token).await.status, 200);
}

#[tokio::test]
async fn a_removal_that_plaid_does_not_confirm_is_asked_for_again() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    for _ in 0..2 {
        let fault = Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR");
        broker.simulator.enqueue("/item/remove", fault);
    }
    assert_eq!(revoke(&broker, &token).await.status, 200);
    // The broker's own worker was notified and may have one of the tries.
    while broker.simulator.live_items() > 0 {
        crate::removal::look(&broker).await;
        broker.clock.advance(std::time::Duration::from_secs(3600));
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(broker.simulator.count("/item/remove") >= 3);
}

#[tokio::test]
async fn unknown_tokens_are_as_good_as_revoked_and_others_tokens_are_not_touched() {
    let broker = with_clients(&[]).await;
    let token = broker.tokens().await.text("refresh_token");
    for unknown in ["x", "ptb_rt_0", &format!("{token}x")] {
        assert_eq!(revoke(&broker, unknown).await.status, 200, "{unknown}");
    }
    let second = [
        ("client_id", SECOND.0),
        ("client_secret", SECOND.1),
        ("token", token.as_str()),
    ];
    assert_eq!(
        post(&broker, "/oauth/revoke", &second).await.oauth_error(),
        (400, "invalid_grant")
    );
    assert_eq!(revoke(&broker, "access-sandbox-1").await.status, 200);
    assert_eq!(broker.refresh(&token).await.status, 200);
}

/// What the "disconnect" of several libraries sends.
#[tokio::test]
async fn an_access_token_ends_its_grant_and_the_item_at_plaid() {
    let broker = TestBroker::start().await;
    for hint in ["access_token", "refresh_token", "unheard_of"] {
        let tokens = broker.tokens().await;
        let form = [
            FIRST[0],
            FIRST[1],
            ("token", &tokens.text("access_token")),
            ("token_type_hint", hint),
        ];
        for _ in 0..2 {
            let revoked = post(&broker, "/oauth/revoke", &form).await;
            assert_eq!((revoked.status, revoked.body.as_str()), (200, "{}"), "{hint}");
        }
        let refused = broker.refresh(&tokens.text("refresh_token")).await;
        assert_eq!(refused.oauth_error(), (400, "invalid_grant"), "{hint}");
        crate::removal::look(&broker).await;
        assert_eq!(broker.simulator.live_items(), 0, "{hint}");
    }
}

/// Another client has exchanged a public token of the same Item: its access token is the same one.
#[tokio::test]
async fn an_item_that_another_client_uses_stays_until_both_have_ended() {
    let broker = with_clients(&[]).await;
    let tokens = broker.tokens().await;
    let access = tokens.text("access_token");
    let now = broker.app.clock.now();
    let exchange = RawExchange {
        public_token: PublicTokenHash(random::bytes()),
        connection: NewConnection {
            id: ConnectionId(random::id(now)),
            item_id: tokens.text("item_id"),
            access_token: PlaidAccessToken::new(access.clone()),
            institution_id: None,
            institution_name: None,
        },
        grant: NewGrant {
            id: GrantId(random::id(now)),
            nonce: random::nonce(),
            client_id: SECOND.0.to_owned(),
            scope: vec!["auth".to_owned()],
        },
    };
    broker.app.store.exchange_raw(exchange, now).await.unwrap();
    let second = [
        ("client_id", SECOND.0),
        ("client_secret", SECOND.1),
        ("token", access.as_str()),
    ];
    let inactive = json!({ "active": false });

    assert_eq!(revoke(&broker, &access).await.status, 200);
    crate::removal::look(&broker).await;
    assert_eq!(broker.simulator.live_items(), 1);
    assert_eq!(introspect(&broker, &access).await.json, inactive);
    let active = post(&broker, "/oauth/introspect", &second).await;
    assert_eq!(active.json["active"], true, "{}", active.body);
    assert_eq!(active.json["client_id"], SECOND.0);

    assert_eq!(post(&broker, "/oauth/revoke", &second).await.status, 200);
    crate::removal::look(&broker).await;
    assert_eq!(broker.simulator.live_items(), 0);
    assert_eq!(post(&broker, "/oauth/introspect", &second).await.json, inactive);
}

#[tokio::test]
async fn an_access_token_is_worth_what_its_grant_is() {
    let broker = with_clients(&[("OAUTH_EXPIRES_IN", "600")]).await;
    let tokens = broker.tokens().await;
    let access = tokens.text("access_token");
    let active = introspect(&broker, &access).await;
    assert_eq!(active.json["active"], true, "{}", active.body);
    assert_eq!(active.json["token_type"], "Bearer");
    assert_eq!(active.json["client_id"], simulator::CLIENT_ID);
    assert_eq!(active.json["scope"], tokens.json["scope"]);
    assert_eq!(active.json["item_id"], tokens.json["item_id"]);
    let inactive = json!({ "active": false });
    let second = [
        ("client_id", SECOND.0),
        ("client_secret", SECOND.1),
        ("token", access.as_str()),
    ];
    assert_eq!(post(&broker, "/oauth/introspect", &second).await.json, inactive);
    let others = post(&broker, "/oauth/revoke", &second).await;
    assert_eq!(others.oauth_error(), (400, "invalid_grant"));
    assert_eq!(introspect(&broker, &access).await.json["active"], true);

    revoke(&broker, &tokens.text("refresh_token")).await;
    assert_eq!(introspect(&broker, &access).await.json, inactive);
    // What was removed at Plaid by others is worth nothing either.
    let connection = broker.tokens().await;
    broker
        .plaid(
            "/item/remove",
            json!({ "access_token": connection.text("access_token") }),
        )
        .await;
    broker.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(
        introspect(&broker, &connection.text("access_token")).await.json,
        inactive
    );
}

#[tokio::test]
async fn only_a_client_that_proved_itself_revokes_and_introspects() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let unproven = post(&broker, path, &[("token", &token)]).await;
        assert_eq!(unproven.oauth_error(), (401, "invalid_client"), "{path}");
        let wrong = [FIRST[0], ("client_secret", "wrong"), ("token", token.as_str())];
        assert_eq!(
            post(&broker, path, &wrong).await.oauth_error(),
            (401, "invalid_client")
        );
        let missing = post(&broker, path, &FIRST).await;
        assert_eq!(missing.oauth_error(), (400, "invalid_request"), "{path}");
    }
    assert_eq!(broker.refresh(&token).await.status, 200);
}

#[tokio::test]
async fn a_public_client_revokes_with_any_token_of_its_grant() {
    let broker = with_clients(&[]).await;
    let query = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = broker.code_of(&query).await;
    let form = [
        ("client_id", "app"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let first = broker.token(&form).await.text("refresh_token");
    let form = [("client_id", "app"), ("refresh_token", first.as_str())];
    let second = broker.token(&form).await.text("refresh_token");
    let form = [("client_id", "app"), ("token", first.as_str())];
    assert_eq!(post(&broker, "/oauth/revoke", &form).await.status, 200);
    let form = [("client_id", "app"), ("refresh_token", second.as_str())];
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
}

#[tokio::test]
async fn introspection_tells_what_a_token_is_worth() {
    let broker = with_clients(&[]).await;
    let tokens = broker.tokens().await;
    let token = tokens.text("refresh_token");
    let active = introspect(&broker, &token).await;
    assert_eq!(active.status, 200, "{}", active.body);
    assert_eq!(active.json["active"], true);
    assert_eq!(active.json["client_id"], simulator::CLIENT_ID);
    assert_eq!(active.json["item_id"], tokens.json["item_id"]);
    assert_eq!(active.json["scope"], tokens.json["scope"]);
    assert_eq!(active.json["institution_name"], "First Platypus Bank");
    assert_eq!(active.json["health"], "healthy");
    let inactive = json!({ "active": false });
    for unknown in ["x", "access-sandbox-1"] {
        assert_eq!(introspect(&broker, unknown).await.json, inactive);
    }
    let second = [
        ("client_id", SECOND.0),
        ("client_secret", SECOND.1),
        ("token", token.as_str()),
    ];
    assert_eq!(post(&broker, "/oauth/introspect", &second).await.json, inactive);

    let reset = json!({ "access_token": tokens.text("access_token") });
    broker.plaid("/sandbox/item/reset_login", reset).await;
    broker.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(introspect(&broker, &token).await.json["health"], "login_required");
    revoke(&broker, &token).await;
    assert_eq!(introspect(&broker, &token).await.json, inactive);
}

#[tokio::test]
async fn the_metadata_is_what_is_there() {
    let broker = with_clients(&[]).await;
    let answer = Answer::of(broker.get("/.well-known/oauth-authorization-server")).await;
    assert_eq!(answer.status, 200);
    let issuer = broker.url.replace("127.0.0.1", "localhost");
    assert_eq!(answer.json["issuer"], issuer);
    for name in ["token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
        let endpoint = answer.text(name);
        assert!(endpoint.starts_with(&issuer), "{endpoint}");
        let there = Answer::of(broker.http.post(&endpoint)).await;
        assert!([400, 401].contains(&there.status), "{name}: {}", there.status);
    }
    let page = Answer::of(broker.http.get(answer.text("authorization_endpoint"))).await;
    assert_eq!(page.status, 200);
    assert_eq!(answer.json["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        answer.json["authorization_response_iss_parameter_supported"],
        true
    );
    assert_eq!(
        answer.json["token_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post", "none"])
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn strangers_are_limited_and_a_correct_secret_is_not_delayed_by_them() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    let wrong = [
        FIRST[0],
        ("client_secret", "wrong"),
        ("refresh_token", token.as_str()),
    ];
    let mut limited = None;
    for _ in 0..1000 {
        let answer = broker.token(&wrong).await;
        if answer.status != 401 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("the guessing is slowed down");
    assert_eq!(limited.status, 429);
    assert!(
        limited
            .header("retry-after")
            .is_some_and(|value| value.parse::<u64>().is_ok())
    );
    let right = [FIRST[0], FIRST[1], ("refresh_token", token.as_str())];
    assert_eq!(broker.token(&right).await.status, 200);
    // Another address is another matter, and people's pages have a budget of their own.
    let elsewhere = broker
        .token_request(&wrong)
        .header("x-forwarded-for", "203.0.113.7");
    assert_eq!(Answer::of(elsewhere).await.status, 401);
    assert_eq!(Answer::of(broker.get("/?state=s")).await.status, 200);

    let unlimited = TestBroker::start_with(&[("BROKER_RATE_LIMIT", "off")]).await;
    for _ in 0..400 {
        assert_eq!(unlimited.token(&wrong).await.status, 401);
    }
}

/// One client may serve all users of a platform, all from one address.
#[tokio::test]
async fn an_authenticated_client_is_not_limited_unless_a_rate_is_set() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    let right = [FIRST[0], FIRST[1], ("token", token.as_str())];
    // More than any burst that the broker had: what is asked costs nothing at Plaid.
    for _ in 0..3000 {
        let answer = post(&broker, "/oauth/introspect", &right[..2]).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    assert_eq!(post(&broker, "/oauth/introspect", &right).await.status, 200);

    let limited = TestBroker::start_with(&[("BROKER_CLIENT_RATE", "1")]).await;
    let mut statuses = Vec::new();
    for _ in 0..100 {
        statuses.push(post(&limited, "/oauth/introspect", &FIRST).await.status);
    }
    assert!(statuses[..10].iter().all(|status| *status == 400), "{statuses:?}");
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 0, "{statuses:?}");
    // Another client's requests, and those without a secret, do not count for it.
    assert_eq!(
        limited.token(&[("code", "x")]).await.oauth_error(),
        (400, "invalid_grant")
    );
}

#[tokio::test]
async fn requests_that_cannot_be_read_count_for_their_address() {
    for (path, content_type, body) in [
        ("/oauth/token", "text/plain", "x"),
        ("/oauth/token", "application/json", "{"),
        (
            "/oauth/revoke",
            "application/x-www-form-urlencoded",
            "token=a&token=b",
        ),
        (
            "/oauth/introspect",
            "application/x-www-form-urlencoded",
            "{\"token\":\"a\"}",
        ),
    ] {
        let broker = TestBroker::start().await;
        let mut refused = 0;
        for _ in 0..400 {
            let request = broker.post(path).header("content-type", content_type).body(body);
            let answer = Answer::of(request).await;
            assert!([400, 415, 429].contains(&answer.status), "{}", answer.body);
            refused += u32::from(answer.status == 429);
        }
        assert!(refused > 0, "{path} {content_type}: 400 of 400 were answered");
        let elsewhere = broker.post(path).header("content-type", content_type).body(body);
        let elsewhere = Answer::of(elsewhere.header("x-forwarded-for", "203.0.113.7")).await;
        assert_ne!(elsewhere.status, 429, "another address");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_never_told_as_revoked() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    broker.app.store.close().await;
    let refused = revoke(&broker, &token).await;
    assert_eq!(refused.oauth_error(), (503, "temporarily_unavailable"));
    assert!(refused.header("retry-after").is_some());
}
