//! Client authentication at the token endpoint, end to end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plaid_token_broker::simulator::{self, CLIENT_ID, SECRET};

use crate::harness::{Answer, Setup, TestBroker};
use crate::token::{SECOND, with_clients};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A refresh with these headers and these parameters beside the token: it costs nothing, so it can be repeated.
async fn refresh(broker: &TestBroker, token: &str, headers: Pairs<'_>, form: Pairs<'_>) -> Answer {
    let form = [&[("refresh_token", token)], form].concat();
    let mut request = broker.token_request(&form);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn every_way_to_show_the_right_secret_is_taken() {
    let broker = TestBroker::start_with(&[("OAUTH_CLIENT_AUTH", "required")]).await;
    let code = broker.code().await;
    let own = [("client_id", CLIENT_ID), ("client_secret", SECRET)];
    let tokens = broker
        .token(&[&[("code", code.as_str())], &own[..]].concat())
        .await;
    let token = tokens.text("refresh_token");
    let right = basic(CLIENT_ID, SECRET);
    let lower = right.replacen("Basic", "basic", 1);
    let without_secret = basic(CLIENT_ID, "");
    let plaid = [("PLAID-CLIENT-ID", CLIENT_ID), ("PLAID-SECRET", SECRET)];
    for (headers, form) in [
        (&[("authorization", right.as_str())][..], &[][..]),
        (&[("authorization", &lower)], &[]),
        (&[("authorization", &right)], &[("client_id", CLIENT_ID)]),
        (&[], &own),
        (&[], &own[1..]),
        (&plaid, &[]),
        (&plaid[1..], &[]),
        (&plaid[1..], &[("client_id", CLIENT_ID)]),
        (&[("authorization", &without_secret), plaid[1]], &[]),
        (&[("authorization", &without_secret)], &own[1..]),
        // The same credentials twice are one: libraries send them so.
        (&[("authorization", &right)], &own),
        (&[("authorization", &right)], &own[1..]),
        // A proxy or a framework may add a header of its own.
        (&[("authorization", "Bearer x")], &own),
        (&[("authorization", "")], &own),
        (&[("authorization", "Bearer x"), plaid[0], plaid[1]], &[]),
        // Beside a standard method Plaid's headers are Kore.ai's own business.
        (
            &[
                ("authorization", &right),
                ("PLAID-CLIENT-ID", "x"),
                ("PLAID-SECRET", "y"),
            ],
            &[],
        ),
        (&[("PLAID-CLIENT-ID", "x"), ("PLAID-SECRET", "y")], &own),
    ] {
        let answer = refresh(&broker, &token, headers, form).await;
        assert_eq!(answer.status, 200, "{headers:?} {form:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_wrong_secret_always_fails_even_where_none_is_needed() {
    let broker = TestBroker::start().await;
    let token = broker.tokens().await.text("refresh_token");
    assert_eq!(
        refresh(&broker, &token, &[], &[]).await.status,
        200,
        "the simulator is lenient"
    );
    let wrong = basic(CLIENT_ID, "wrong");
    let unknown = basic("nobody", SECRET);
    let garbled = "Basic !!!".to_owned();
    let not_utf8 = format!("Basic {}", STANDARD.encode(b"\xff\xfe:x"));
    let no_colon = format!("Basic {}", STANDARD.encode("nocolon"));
    for header in [
        &wrong, &unknown, &garbled, &not_utf8, &no_colon, "Bearer x", "Basic", "",
    ] {
        let answer = refresh(&broker, &token, &[("authorization", header)], &[]).await;
        assert_eq!(answer.oauth_error(), (401, "invalid_client"), "{header}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{header}: {challenge}");
    }
    for form in [
        &[("client_secret", "wrong")][..],
        &[("client_id", CLIENT_ID), ("client_secret", "wrong")],
        &[
            ("client_id", CLIENT_ID),
            ("client_secret", &SECRET.to_uppercase()),
        ],
        &[("client_id", CLIENT_ID), ("client_secret", &SECRET[1..])],
        &[("client_id", "nobody"), ("client_secret", SECRET)],
        &[("client_id", "nobody")],
    ] {
        assert_eq!(
            refresh(&broker, &token, &[], form).await.oauth_error(),
            (401, "invalid_client"),
            "{form:?}"
        );
    }
    for headers in [
        &[("PLAID-SECRET", "wrong")][..],
        &[("PLAID-CLIENT-ID", "nobody")],
        &[("PLAID-CLIENT-ID", "nobody"), ("PLAID-SECRET", SECRET)],
    ] {
        let answer = refresh(&broker, &token, headers, &[]).await;
        assert_eq!(answer.oauth_error(), (401, "invalid_client"), "{headers:?}");
    }
}

#[tokio::test]
async fn two_secrets_and_ids_that_differ_are_refused() {
    let broker = with_clients(&[]).await;
    let token = broker.tokens().await.text("refresh_token");
    let right = basic(CLIENT_ID, SECRET);
    for (headers, form) in [
        (
            &[("authorization", right.as_str())][..],
            &[("client_secret", "wrong")][..],
        ),
        (&[("authorization", &right)], &[("client_id", SECOND.0)]),
        (
            &[("PLAID-CLIENT-ID", CLIENT_ID), ("PLAID-SECRET", SECRET)],
            &[("client_id", SECOND.0)],
        ),
        (&[("PLAID-SECRET", SECRET), ("PLAID-SECRET", "other")], &[]),
        (&[], &[("client_secret", SECRET), ("client_secret", "other")]),
        (&[], &[("client_id", CLIENT_ID), ("client_id", SECOND.0)]),
    ] {
        let answer = refresh(&broker, &token, headers, form).await;
        assert_eq!(
            answer.oauth_error(),
            (400, "invalid_request"),
            "{headers:?} {form:?}"
        );
    }
    let twice = [
        ("authorization", right.as_str()),
        ("authorization", right.as_str()),
    ];
    assert_eq!(
        refresh(&broker, &token, &twice, &[]).await.oauth_error(),
        (401, "invalid_client")
    );
}

#[tokio::test]
async fn basic_is_form_decoded_and_taken_as_it_is_too() {
    let broker = with_clients(&[]).await;
    let code = broker.code_of(&format!("?client_id={}", SECOND.0)).await;
    let own = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    let tokens = broker
        .token(&[&[("code", code.as_str())], &own[..]].concat())
        .await;
    let token = tokens.text("refresh_token");
    let encoded: String = url::form_urlencoded::byte_serialize(SECOND.1.as_bytes()).collect();
    for secret in [SECOND.1, &encoded] {
        let header = basic(SECOND.0, secret);
        let answer = refresh(&broker, &token, &[("authorization", &header)], &[]).await;
        assert_eq!(answer.status, 200, "{secret}: {}", answer.body);
    }
    let half_encoded = basic(SECOND.0, &SECOND.1.replace("%41", "A"));
    let answer = refresh(&broker, &token, &[("authorization", &half_encoded)], &[]).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_client"));
}

#[tokio::test]
async fn only_the_first_client_may_come_without_a_secret_and_a_public_one_has_none() {
    let broker = with_clients(&[]).await;
    for form in [
        &[("client_id", SECOND.0)][..],
        &[("client_id", "app"), ("client_secret", "x")],
    ] {
        let answer = refresh(&broker, "ptb_rt_x", &[], form).await;
        assert_eq!(answer.oauth_error(), (401, "invalid_client"), "{form:?}");
    }
    let answer = refresh(&broker, "ptb_rt_x", &[], &[("client_id", "app")]).await;
    assert_eq!(
        answer.oauth_error(),
        (400, "invalid_grant"),
        "believed without a secret"
    );
}

#[tokio::test]
async fn where_the_secret_is_required_nothing_is_answered_without_it() {
    let required = TestBroker::start_with(&[("OAUTH_CLIENT_AUTH", "required")]).await;
    let production = TestBroker::start_as(Setup {
        settings: &[
            ("PLAID_ENV", "production"),
            ("PLAID_PRODUCTS", "auth"),
            ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
        ],
        plaid: Some(simulator::Options::default()),
        ..Setup::default()
    })
    .await;
    let id_alone = basic(CLIENT_ID, "");
    for broker in [&required, &production] {
        let code = broker.code().await;
        for form in [
            &[("code", code.as_str())][..],
            &[("code", &code), ("client_id", CLIENT_ID)],
        ] {
            let answer = broker.token(form).await;
            assert_eq!(answer.oauth_error(), (401, "invalid_client"), "{form:?}");
        }
        let request = broker
            .token_request(&[("code", &code)])
            .header("authorization", &id_alone);
        let answer = Answer::of(request).await;
        assert_eq!(answer.oauth_error(), (401, "invalid_client"));
        // It tried the Authorization header (RFC 6749 5.2).
        assert!(answer.header("www-authenticate").is_some());
        let answer = broker.token(&[("code", &code), ("client_secret", SECRET)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn the_clients_own_credentials_can_differ_from_plaids() {
    let broker = TestBroker::start_with(&[
        ("OAUTH_CLIENT_ID", "kore"),
        ("OAUTH_CLIENT_SECRET", "a-secret-of-its-own"),
    ])
    .await;
    let token = broker.tokens().await.text("refresh_token");
    let own = [("client_id", "kore"), ("client_secret", "a-secret-of-its-own")];
    assert_eq!(refresh(&broker, &token, &[], &own).await.status, 200);
    let plaids = [("client_id", CLIENT_ID), ("client_secret", SECRET)];
    assert_eq!(
        refresh(&broker, &token, &[], &plaids).await.oauth_error(),
        (401, "invalid_client")
    );
}
