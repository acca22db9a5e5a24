//! The operators' channel: who has the broker's keys is obeyed and believed, nobody else.

use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker::audit::{Actor, Origin};
use plaid_token_broker::config::{KeySource, SealingKey};
use plaid_token_broker::control::{Answer as Told, AskError, Keys, Proof, Remote, Request, account_text};
use plaid_token_broker::simulator::CLIENT_ID;
use plaid_token_broker::store::keyring::Keyring;
use serde_json::json;
use tokio::net::TcpListener;

use crate::harness::{Answer, TestBroker};

const COMMAND: &str = r#"{"command":"admin_link"}"#;

/// The broker's own keys, as its key file has them.
fn keyring(broker: &TestBroker) -> Keyring {
    let source = KeySource::File(broker.dir.path().join("data/broker.key"));
    Keyring::existing(&source).unwrap().expect("a key file")
}

fn other_keyring() -> Keyring {
    let key = SealingKey {
        id: "other".to_owned(),
        key: [7; 32].into(),
    };
    Keyring::new(vec![key]).unwrap()
}

fn account() -> String {
    account_text("simulator", CLIENT_ID)
}

fn remote(broker: &TestBroker, keyring: &Keyring) -> Remote {
    Remote {
        address: broker.ops_url.strip_prefix("http://").unwrap().parse().unwrap(),
        keys: Keys::of(keyring),
        account: account(),
        clock: broker.clock.clone(),
    }
}

/// Sends a command with this proof; its answer is none of the broker's own address, so no document tells of it.
async fn send(broker: &TestBroker, proof: &str, body: &str) -> Answer {
    let request = broker
        .http
        .post(format!("{}/control", broker.ops_url))
        .header("authorization", format!("Bearer {proof}"))
        .body(body.to_owned());
    Answer::read(request.send().await.unwrap()).await
}

fn key(keyring: &Keyring) -> [u8; 32] {
    let keys = keyring.derived(b"plaid-token-broker control v1");
    **keys.first().unwrap()
}

#[tokio::test]
async fn who_has_the_keys_gets_a_link_that_opens_the_broker() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let remote = remote(&broker, &keyring(&broker));
    let answer = remote.ask(&Request::AdminLink {}, |_| {}).await.unwrap();
    let Told::AdminLink {
        url,
        local_url: Some(local),
        expires_at,
    } = answer
    else {
        panic!("{answer:?}");
    };
    assert!(
        url.starts_with("https://broker.example/setup/login/ptb_al_"),
        "{url}"
    );
    assert_eq!(local.rsplit('/').next(), url.rsplit('/').next());
    let port = broker.url.rsplit(':').next().unwrap();
    assert!(
        local.starts_with(&format!("http://localhost:{port}/setup/login/")),
        "{local}"
    );
    let life = plaid_token_broker::admin::LINK_TTL;
    assert_eq!(
        expires_at,
        plaid_token_broker::clock::Clock::now(&*broker.clock).plus(life)
    );
    let path = local.split_once(&format!(":{port}")).unwrap().1;
    assert_eq!(
        Answer::of(broker.get(path)).await.header("location"),
        Some("../login?link=kept")
    );
}

#[tokio::test]
async fn other_keys_and_other_brokers_are_refused() {
    let broker = TestBroker::start().await;
    let strangers = remote(&broker, &other_keyring());
    let refused = strangers.ask(&Request::AdminLink {}, |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, AskError::Refused(why) if why.contains("BROKER_KEYS")),
        "{refused}"
    );
    let elsewhere = Remote {
        account: account_text("production", CLIENT_ID),
        ..remote(&broker, &keyring(&broker))
    };
    let refused = elsewhere.ask(&Request::AdminLink {}, |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, AskError::Refused(why) if why.contains("PLAID_ENV")),
        "{refused}"
    );
    // A key of before, beside a newer one that the broker does not know yet, is enough.
    let mut keys = vec![SealingKey {
        id: "newer".to_owned(),
        key: [9; 32].into(),
    }];
    let file = std::fs::read_to_string(broker.dir.path().join("data/broker.key")).unwrap();
    let (id, text) = file.trim().split_once(':').unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
    keys.push(SealingKey {
        id: id.to_owned(),
        key: <[u8; 32]>::try_from(bytes).unwrap().into(),
    });
    let both = remote(&broker, &Keyring::new(keys).unwrap());
    both.ask(&Request::AdminLink {}, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_proof_is_for_one_body_and_good_once() {
    let broker = TestBroker::start().await;
    let key = key(&keyring(&broker));
    let now = plaid_token_broker::clock::Clock::now(&*broker.clock);
    let proof = |random: u8| Proof::make(&key, now, [random; 16], &account(), COMMAND.as_bytes());

    let text = proof(1).text();
    let other_body = send(&broker, text.expose(), r#"{"command":"admin_link" }"#).await;
    assert_eq!(other_body.status, 401, "{}", other_body.body);
    assert_eq!(send(&broker, text.expose(), COMMAND).await.status, 200);
    let again = send(&broker, text.expose(), COMMAND).await;
    assert_eq!(again.status, 401);
    assert!(again.text("message").contains("came before"), "{}", again.body);

    let genuine = proof(2).text();
    let parts: Vec<&str> = genuine.expose().split('.').collect();
    for forged in [
        String::new(),
        "v1".to_owned(),
        format!("{}.", genuine.expose()),
        genuine.expose().replace("v1.", "v2."),
        // A moment later, other random bytes, another MAC.
        format!("v1.{}.{}.{}", now.as_millis() + 1, parts[2], parts[3]),
        format!("v1.{}.{}.{}", parts[1], "A".repeat(22), parts[3]),
        format!("v1.{}.{}.{}", parts[1], parts[2], "A".repeat(43)),
        format!("v1.{}.{}.{}", parts[1], parts[2], &parts[3][..42]),
    ] {
        let answer = send(&broker, &forged, COMMAND).await;
        assert_eq!(answer.status, 401, "{forged}");
        assert!(answer.text("message").contains("not proven"), "{}", answer.body);
    }
    let bare = broker
        .http
        .post(format!("{}/control", broker.ops_url))
        .body(COMMAND);
    assert_eq!(bare.send().await.unwrap().status(), 401);
    assert_eq!(
        send(&broker, genuine.expose(), COMMAND).await.status,
        200,
        "it was not used up"
    );
}

#[tokio::test]
async fn a_proof_is_fresh_for_a_minute_either_way() {
    let broker = TestBroker::start().await;
    let key = key(&keyring(&broker));
    let now = plaid_token_broker::clock::Clock::now(&*broker.clock);
    for (away, random, status) in [(60, 1, 200), (61, 2, 401)] {
        let away = Duration::from_secs(away);
        for (random, at) in [(random, now.minus(away)), (random + 10, now.plus(away))] {
            let proof = Proof::make(&key, at, [random; 16], &account(), COMMAND.as_bytes());
            let answer = send(&broker, proof.text().expose(), COMMAND).await;
            assert_eq!(answer.status, status, "{away:?} {}", answer.body);
            assert!(
                status == 200 || answer.text("message").contains("clock"),
                "{}",
                answer.body
            );
        }
    }
    // One from ahead of our clock is still remembered when our clock has come to it.
    broker.clock.advance(Duration::from_secs(120));
    let ahead = now.plus(Duration::from_secs(60));
    let proof = Proof::make(&key, ahead, [11; 16], &account(), COMMAND.as_bytes());
    let answer = send(&broker, proof.text().expose(), COMMAND).await;
    assert!(answer.text("message").contains("came before"), "{}", answer.body);
}

#[tokio::test]
async fn what_is_no_command_is_told_and_does_nothing() {
    let broker = TestBroker::start().await;
    let key = key(&keyring(&broker));
    let now = plaid_token_broker::clock::Clock::now(&*broker.clock);
    for (n, body) in [
        "",
        "{}",
        "[]",
        r#"{"command":"obey"}"#,
        r#"{"command":"admin_link","x":1}"#,
    ]
    .iter()
    .enumerate()
    {
        let random = [u8::try_from(n).unwrap(); 16];
        let proof = Proof::make(&key, now, random, &account(), body.as_bytes());
        let answer = send(&broker, proof.text().expose(), body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    let long = "x".repeat(65 * 1024);
    assert_eq!(send(&broker, "v1", &long).await.status, 400);
    let get = broker
        .http
        .get(format!("{}/control", broker.ops_url))
        .send()
        .await
        .unwrap();
    assert_eq!(get.status(), 405);
    assert_eq!(
        broker.post("/control").send().await.unwrap().status(),
        404,
        "not on the broker's own address"
    );
}

#[tokio::test]
async fn nobody_without_the_keys_can_answer_in_the_brokers_stead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let line = json!({ "answer": { "answer": "admin_link", "url": "http://evil.example", "local_url": null, "expires_at": 0 } });
    let app = axum::Router::new().route(
        "/control",
        axum::routing::post(async move || format!("{} {line}\n", "A".repeat(43))),
    );
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let remote = Remote {
        address,
        keys: Keys::of(&other_keyring()),
        account: account(),
        clock: Arc::new(plaid_token_broker::clock::SystemClock),
    };
    let error = remote.ask(&Request::AdminLink {}, |_| {}).await.unwrap_err();
    assert!(matches!(error, AskError::NotGenuine(_)), "{error}");
    serving.abort();
    let _ = serving.await;
    let error = remote.ask(&Request::AdminLink {}, |_| {}).await.unwrap_err();
    assert!(matches!(error, AskError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_running_broker_describes_itself() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let callback = "https://idp.kore.com/workflows/callback";
    let origin = Origin::actor(Actor::Admin);
    let allowed = broker.app.allow_redirect_uri(CLIENT_ID, callback, origin).await;
    assert!(allowed.unwrap());
    let remote = remote(&broker, &keyring(&broker));
    let answer = remote.ask(&Request::Describe {}, |_| {}).await.unwrap();
    let Told::Description { description } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(description.public_url, "https://broker.example");
    assert_eq!(format!("http://{}", description.address), broker.url);
    let simulator = description.simulator.map(|address| format!("http://{address}"));
    assert_eq!(simulator.as_deref(), Some(broker.simulator_url.as_str()));
    assert_eq!(description.store, None);
    assert_eq!(
        description.callbacks,
        [(CLIENT_ID.to_owned(), callback.to_owned())]
    );
}
