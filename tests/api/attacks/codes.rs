//! Codes and refresh tokens in the wrong hands.

use crate::code::{CHALLENGE, VERIFIER};
use crate::harness::{Answer, CALLBACK, TestBroker, encode, query_value};
use crate::token::{SECOND, with_clients};

/// Another verifier of the right shape, and its challenge.
const OTHER_VERIFIER: &str = "attackers-verifier-attackers-verifier-attack";

fn challenge(verifier: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier))
}

fn query(challenge: &str) -> String {
    format!("?state=s&code_challenge={challenge}&code_challenge_method=S256")
}

#[tokio::test]
async fn a_code_injected_into_another_session_fails_where_pkce_is_used() {
    let broker = TestBroker::start().await;
    let stolen = broker.code_of(&query(CHALLENGE)).await;
    let own = broker.code_of(&query(&challenge(OTHER_VERIFIER))).await;
    // The attacker's session at the same client sends its own verifier with the victim's code, and the reverse.
    for (code, verifier) in [(&stolen, OTHER_VERIFIER), (&own, VERIFIER)] {
        let answer = broker.token(&[("code", code), ("code_verifier", verifier)]).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
    }
    // Nothing was used up by it.
    for (code, verifier) in [(&stolen, VERIFIER), (&own, OTHER_VERIFIER)] {
        let answer = broker.token(&[("code", code), ("code_verifier", verifier)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_public_client_cannot_leave_pkce_out() {
    let broker = with_clients(&[]).await;
    for query in [
        "client_id=app&state=s".to_owned(),
        format!("client_id=app&state=s&code_challenge={CHALLENGE}&code_challenge_method=plain"),
        format!("client_id=app&state=s&code_challenge={CHALLENGE}"),
        "client_id=app&state=s&code_challenge=&code_challenge_method=S256".to_owned(),
    ] {
        let answer = Answer::of(broker.get(&format!("/?{query}"))).await;
        assert_eq!(answer.status, 303, "{query}: {}", answer.body);
        let location = answer.header("location").unwrap();
        let error = query_value(location, "error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "{query}");
        assert_eq!(query_value(location, "code"), None);
    }
}

#[tokio::test]
async fn a_refresh_token_in_the_wrong_hands_is_worth_nothing() {
    let broker = with_clients(&[("OAUTH_CLIENT_AUTH", "required")]).await;
    let form = |token: &str| {
        vec![
            ("refresh_token".to_owned(), token.to_owned()),
            ("grant_type".to_owned(), "refresh_token".to_owned()),
        ]
    };
    let code = broker.code_of(&format!("?client_id={}", SECOND.0)).await;
    let own = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    let tokens = broker
        .token(&[&[("code", code.as_str())], &own[..]].concat())
        .await;
    let token = tokens.text("refresh_token");
    for thief in [
        &[][..],
        &[("client_id", SECOND.0)],
        &[("client_id", "app")],
        &[("client_id", SECOND.0), ("client_secret", "guessed")],
        &[
            ("client_id", plaid_token_broker::simulator::CLIENT_ID),
            ("client_secret", plaid_token_broker::simulator::SECRET),
        ],
    ] {
        let form = form(&token);
        let pairs: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = broker.token(&[&pairs[..], thief].concat()).await;
        assert!([400, 401].contains(&answer.status), "{thief:?}: {}", answer.body);
        assert!(!answer.body.contains("access-"), "{}", answer.body);
    }
    // It was not its owner's doing, so the owner does not suffer.
    let again = broker
        .token(&[&[("refresh_token", token.as_str())], &own[..]].concat())
        .await;
    assert_eq!(again.status, 200, "{}", again.body);
}

#[tokio::test]
async fn a_revoked_refresh_token_of_a_confidential_client_stays_dead() {
    let broker = TestBroker::start().await;
    let first = broker.tokens().await.text("refresh_token");
    let second = broker.tokens().await.text("refresh_token");
    let body = encode(&[
        ("client_id", plaid_token_broker::simulator::CLIENT_ID),
        ("client_secret", plaid_token_broker::simulator::SECRET),
        ("token", &first),
    ]);
    let revoked = broker
        .post("/oauth/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    assert_eq!(Answer::of(revoked).await.status, 200);
    for _ in 0..3 {
        let replayed = broker.refresh(&first).await;
        assert_eq!(replayed.oauth_error(), (400, "invalid_grant"));
    }
    assert_eq!(
        broker.refresh(&second).await.status,
        200,
        "another grant lives on"
    );
}

#[tokio::test]
async fn a_code_is_not_taken_at_another_callback() {
    let settings = [(
        "PLAID_REDIRECT_URI",
        "http://127.0.0.1:9/callback,http://127.0.0.1:9/other",
    )];
    let broker = TestBroker::start_with(&settings).await;
    let first = encode(&[("redirect_uri", CALLBACK)]);
    let code = broker.code_of(&format!("?{first}")).await;
    let other = [
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/other"),
    ];
    assert_eq!(
        broker.token(&other).await.oauth_error(),
        (400, "invalid_grant"),
        "listed, and not the one of this code"
    );
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
}
