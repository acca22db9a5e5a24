//! The token endpoint: every shape of request that clients send, and what is no request.

use std::time::Duration;

use plaid_token_broker::config::{ClientConfig, ClientKind, Config, RedirectUris};
use plaid_token_broker::secret::ClientSecret;
use plaid_token_broker::simulator;
use serde_json::{Value, json};

use crate::harness::{Answer, CALLBACK, Setup, TestBroker, encode};

pub const SECOND: (&str, &str) = ("second-client", "a secret+with%41 signs&=:é");

/// A second confidential client and a public one.
pub async fn with_clients(settings: &[(&str, &str)]) -> TestBroker {
    TestBroker::start_as(Setup {
        settings,
        change: Some(|config: &mut Config| {
            let client = |id: &str, kind| ClientConfig {
                id: id.to_owned(),
                name: Some(id.to_owned()),
                kind,
                redirect_uris: RedirectUris::Listed(vec![CALLBACK.to_owned()]),
                products: None,
                raw_public_tokens: id == SECOND.0,
                refresh_lifetime: (id == SECOND.0).then_some(Duration::from_secs(86_400)),
                expires_in: None,
                send_iss: true,
            };
            let secret = ClientSecret::new(SECOND.1);
            config
                .oauth
                .clients
                .push(client(SECOND.0, ClientKind::Confidential(secret.into())));
            config.oauth.clients.push(client("app", ClientKind::Public));
        }),
        ..Setup::default()
    })
    .await
}

async fn json_request(broker: &TestBroker, body: &Value) -> Answer {
    Answer::of(broker.post("/api/send_the_access_token_AUTH").json(body)).await
}

#[tokio::test]
async fn every_row_of_the_contract_in_form_and_json_at_both_addresses() {
    let broker = TestBroker::start().await;
    let secret = [
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ];
    for path in ["/api/send_the_access_token_AUTH", "/oauth/token"] {
        for as_json in [false, true] {
            for (grant_type, name) in [
                (Some("authorization_code"), "code"),
                (None, "code"),
                (Some("authorization_code"), "public_token"),
                (None, "public_token"),
                (None, "raw code"),
                (Some("refresh_token"), "refresh_token"),
                (None, "refresh_token"),
            ] {
                let value = match name {
                    "code" => broker.code().await,
                    "refresh_token" => broker.tokens().await.text("refresh_token"),
                    _ => broker.public_token().await,
                };
                let name = name.trim_start_matches("raw ");
                let mut form = vec![(name, value.as_str()), ("unknown", "x"), ("scope", "")];
                form.extend(grant_type.map(|grant_type| ("grant_type", grant_type)));
                form.extend(secret);
                let request = if as_json {
                    broker
                        .post(path)
                        .json(&form.iter().copied().collect::<std::collections::BTreeMap<_, _>>())
                } else {
                    broker
                        .post(path)
                        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
                        .body(encode(&form))
                };
                let answer = Answer::of(request).await;
                assert_eq!(answer.status, 200, "{grant_type:?} {name}: {}", answer.body);
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert_eq!(answer.header("pragma"), Some("no-cache"));
                assert_eq!(answer.header("content-type"), Some("application/json"));
                assert_eq!(answer.text("token_type"), "Bearer");
                assert_eq!(answer.json["closeWindow"], true);
                assert_eq!(answer.json["expires_in"], Value::Null);
                assert!(answer.text("scope").starts_with("transactions auth"));
                let item = broker
                    .simulator
                    .item_by_access_token(&answer.text("access_token"))
                    .unwrap();
                assert_eq!(item.item_id, answer.text("item_id"));
                assert!(answer.text("refresh_token").starts_with("ptb_rt_"));
            }
        }
    }
}

#[tokio::test]
async fn requests_that_make_no_sense_are_invalid_and_cost_no_code() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    for (form, expected) in [
        (String::new(), "invalid_request"),
        ("grant_type=authorization_code".to_owned(), "invalid_request"),
        (
            "grant_type=authorization_code&code=".to_owned(),
            "invalid_request",
        ),
        (format!("grant_type=refresh_token&code={code}"), "invalid_request"),
        (format!("code={code}&code=other"), "invalid_request"),
        (
            format!("code={code}&redirect_uri=a&redirect_uri=b"),
            "invalid_request",
        ),
        (
            format!("code={code}&public_token=public-sandbox-x"),
            "invalid_request",
        ),
        (
            format!("grant_type=password&code={code}"),
            "unsupported_grant_type",
        ),
        (
            format!("grant_type=Authorization_Code&code={code}"),
            "unsupported_grant_type",
        ),
        (
            "grant_type=client_credentials".to_owned(),
            "unsupported_grant_type",
        ),
        (
            format!("grant_type=%22%5C%0A&code={code}"),
            "unsupported_grant_type",
        ),
        (format!("refresh_token={code}"), "invalid_grant"),
        (format!("public_token={code}"), "invalid_grant"),
        (format!("code={code}%20"), "invalid_grant"),
    ] {
        let request = broker
            .post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone());
        assert_eq!(Answer::of(request).await.oauth_error(), (400, expected), "{form}");
    }
    for body in [
        json!([]),
        json!("code"),
        json!({ "code": [code] }),
        json!({ "code": { "a": 1 } }),
    ] {
        assert_eq!(
            json_request(&broker, &body).await.oauth_error(),
            (400, "invalid_request"),
            "{body}"
        );
    }
    // Identical duplicates are one.
    let twice = format!("code={code}&grant_type=authorization_code&code={code}");
    let request = broker.post("/oauth/token").body(twice);
    assert_eq!(Answer::of(request).await.status, 200);
}

#[tokio::test]
async fn a_code_in_the_url_is_not_taken() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    for body in ["", "grant_type=authorization_code"] {
        let request = broker
            .post(&format!("/oauth/token?code={code}&grant_type=authorization_code"))
            .body(body);
        let answer = Answer::of(request).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_request"));
        assert!(
            answer
                .text("error_description")
                .contains("are in the address: send them in the body"),
            "{}",
            answer.body
        );
    }
    // So are a secret and the token of the other endpoints.
    let secret = encode(&[
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ]);
    for (path, body) in [
        (format!("/oauth/revoke?{secret}"), "token=x".to_owned()),
        ("/oauth/revoke?token=x".to_owned(), secret.clone()),
        ("/oauth/introspect?token=x".to_owned(), secret),
    ] {
        let form = "application/x-www-form-urlencoded";
        let answer = Answer::of(broker.post(&path).header("content-type", form).body(body)).await;
        let description = answer.text("error_description");
        assert!(
            description.contains("are in the address"),
            "{path}: {}",
            answer.body
        );
    }
    let missing = broker.token(&[]).await;
    assert!(
        missing.text("error_description").contains("code is missing"),
        "{}",
        missing.body
    );
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
}

#[tokio::test]
async fn the_endpoint_takes_posts_alone() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    for path in ["/oauth/token", "/api/send_the_access_token_AUTH"] {
        for method in [
            http::Method::GET,
            http::Method::PUT,
            http::Method::DELETE,
            http::Method::OPTIONS,
        ] {
            let request = broker
                .http
                .request(method.clone(), format!("{}{path}?code={code}", broker.url));
            let answer = Answer::of(request).await;
            assert_eq!(answer.oauth_error(), (405, "invalid_request"), "{method} {path}");
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_neither_form_nor_json_is_refused() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    let form = format!("code={code}");
    for media_type in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/jsonx",
    ] {
        let request = broker
            .post("/oauth/token")
            .header("content-type", media_type)
            .body(form.clone());
        assert_eq!(
            Answer::of(request).await.oauth_error(),
            (415, "invalid_request"),
            "{media_type}"
        );
    }
    for media_type in ["application/json", "application/json;charset=utf-8"] {
        for body in [form.as_str(), "", "{", "{\"code\":\"a\"} x", "\u{feff}{}"] {
            let request = broker
                .post("/oauth/token")
                .header("content-type", media_type)
                .body(body.to_owned());
            assert_eq!(
                Answer::of(request).await.oauth_error(),
                (400, "invalid_request"),
                "{body}"
            );
        }
    }
    // What curl sends for `-d '{…}'`.
    let mislabeled = json!({ "code": code, "grant_type": "authorization_code" }).to_string();
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let request = broker
            .post(path)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = Answer::of(request.body(mislabeled.clone())).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_request"), "{path}");
        let description = answer.text("error_description");
        assert!(
            description.contains("the Content-Type says form"),
            "{path}: {description}"
        );
    }
    let large = format!("{form}&x={}", "x".repeat(70_000));
    let request = broker
        .post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(large);
    assert_eq!(Answer::of(request).await.oauth_error(), (413, "invalid_request"));
    // Without any content type the body says what it is.
    let request = broker
        .post("/oauth/token")
        .body(json!({ "code": code }).to_string());
    assert_eq!(Answer::of(request).await.status, 200);
}

#[tokio::test]
async fn a_body_that_arrives_a_byte_a_second_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let broker = TestBroker::start().await;
    let address = broker.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("POST /oauth/token HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut bytes = [0; 4096];
    let answer = tokio::time::timeout(Duration::from_secs(15), reading.read(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes[..answer.expect("an answer in time").unwrap()]).into_owned();
    drip.abort();
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(text.contains("\"error\":\"invalid_request\""), "{text}");
}

#[tokio::test]
async fn expires_in_is_told_when_it_is_set() {
    let broker = TestBroker::start_with(&[("OAUTH_EXPIRES_IN", "3600")]).await;
    let tokens = broker.tokens().await;
    assert_eq!(tokens.json["expires_in"], 3600);
    let refreshed = broker.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(refreshed.json["expires_in"], 3600);
}

#[tokio::test]
async fn random_requests_are_never_our_fault() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    let broker = TestBroker::start().await;
    let names = [
        "code",
        "grant_type",
        "refresh_token",
        "public_token",
        "client_id",
        "client_secret",
        "code_verifier",
    ];
    let value = prop_oneof![
        any::<String>(),
        Just("authorization_code".to_owned()),
        Just("refresh_token".to_owned()),
        Just(simulator::CLIENT_ID.to_owned()),
        "ptb_(ac|rt)_[0-9a-f]{32}_[A-Za-z0-9_-]{51}",
        "public-sandbox-[0-9a-f-]{0,40}",
    ];
    let pairs = proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..5);
    let request = (pairs, any::<Vec<u8>>(), 0..4_u8);
    let mut runner = proptest::test_runner::TestRunner::default();
    for _ in 0..300 {
        let (pairs, noise, shape) = request.new_tree(&mut runner).unwrap().current();
        let form: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let post = broker.post("/oauth/token");
        let post = match shape {
            0 => post.json(&form.iter().copied().collect::<std::collections::BTreeMap<_, _>>()),
            1 => post
                .header("content-type", "application/x-www-form-urlencoded")
                .body(noise),
            2 => post.header("content-type", "application/json").body(noise),
            _ => broker.token_request(&form),
        };
        let answer = Answer::of(post).await;
        let (status, error) = answer.oauth_error();
        assert!((400..500).contains(&status), "{form:?}: {status} {error}");
    }
}
