//! Public clients: their refresh tokens rotate, and one that comes again ends the grant. Absolute lifetimes.

use std::time::Duration;

use serde_json::json;

use crate::code::{CHALLENGE, VERIFIER};
use crate::harness::{Answer, TestBroker};
use crate::token::{SECOND, with_clients};

async fn public_tokens(broker: &TestBroker) -> Answer {
    let query = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = broker.code_of(&query).await;
    let form = [("client_id", "app"), ("code", &code), ("code_verifier", VERIFIER)];
    let answer = broker.token(&form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn refresh(broker: &TestBroker, token: &str) -> Answer {
    broker
        .token(&[("client_id", "app"), ("refresh_token", token)])
        .await
}

#[tokio::test]
async fn a_public_clients_refresh_token_rotates() {
    let broker = with_clients(&[]).await;
    let first = public_tokens(&broker).await;
    let second = refresh(&broker, &first.text("refresh_token")).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(second.text("access_token"), first.text("access_token"));
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
    broker.clock.advance(Duration::from_secs(3600));
    let third = refresh(&broker, &second.text("refresh_token")).await;
    assert_ne!(third.text("refresh_token"), second.text("refresh_token"));
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_a_short_while() {
    let broker = with_clients(&[]).await;
    let first = public_tokens(&broker).await.text("refresh_token");
    let successor = refresh(&broker, &first).await.text("refresh_token");
    broker.clock.advance(Duration::from_secs(29));
    assert_eq!(refresh(&broker, &first).await.text("refresh_token"), successor);
    assert_eq!(refresh(&broker, &successor).await.status, 200);
}

#[tokio::test]
async fn a_token_that_comes_again_ends_the_grant_and_its_connection() {
    let broker = with_clients(&[]).await;
    let first = public_tokens(&broker).await.text("refresh_token");
    let second = refresh(&broker, &first).await.text("refresh_token");
    broker.clock.advance(Duration::from_secs(30));
    assert_eq!(
        refresh(&broker, &first).await.oauth_error(),
        (400, "invalid_grant")
    );
    assert_eq!(
        refresh(&broker, &second).await.oauth_error(),
        (400, "invalid_grant")
    );
    crate::removal::until_live(&broker, 0).await;
}

#[tokio::test]
async fn a_much_older_token_ends_it_at_once() {
    let broker = with_clients(&[]).await;
    let first = public_tokens(&broker).await.text("refresh_token");
    let second = refresh(&broker, &first).await.text("refresh_token");
    let third = refresh(&broker, &second).await.text("refresh_token");
    assert_eq!(
        refresh(&broker, &first).await.oauth_error(),
        (400, "invalid_grant")
    );
    assert_eq!(
        refresh(&broker, &third).await.oauth_error(),
        (400, "invalid_grant")
    );
}

#[tokio::test]
async fn concurrent_refreshes_get_one_successor() {
    let broker = with_clients(&[]).await;
    let first = public_tokens(&broker).await.text("refresh_token");
    let all = futures_of(16, || refresh(&broker, &first)).await;
    let successors: std::collections::BTreeSet<_> =
        all.iter().map(|answer| answer.text("refresh_token")).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
}

async fn futures_of<F: Future<Output = Answer>>(count: usize, make: impl Fn() -> F) -> Vec<Answer> {
    let mut waiting: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                done.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test]
async fn a_replayed_code_ends_a_public_clients_grant_after_a_short_allowance_and_never_the_item() {
    let broker = with_clients(&[]).await;
    let query = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = broker.code_of(&query).await;
    let form = [("client_id", "app"), ("code", &code), ("code_verifier", VERIFIER)];
    let refresh_token = broker.token(&form).await.text("refresh_token");
    broker.clock.advance(Duration::from_secs(19));
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
    let refreshed = refresh(&broker, &refresh_token).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    broker.clock.advance(Duration::from_secs(1));
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
    let dead = refresh(&broker, &refreshed.text("refresh_token")).await;
    assert_eq!(dead.oauth_error(), (400, "invalid_grant"));
    crate::removal::look(&broker).await;
    assert_eq!(broker.simulator.live_items(), 1);
}

#[tokio::test]
async fn a_confidential_clients_grant_survives_a_replay_and_ends_with_its_lifetime() {
    let broker = with_clients(&[]).await;
    let code = broker.code_of(&format!("?client_id={}", SECOND.0)).await;
    let own = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    let form = [own[0], own[1], ("code", code.as_str())];
    let refresh_token = broker.token(&form).await.text("refresh_token");
    broker.clock.advance(Duration::from_secs(60));
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
    let introspect = || {
        let body = json!({ "client_id": SECOND.0, "client_secret": SECOND.1, "token": refresh_token });
        Answer::of(broker.post("/oauth/introspect").json(&body))
    };
    let form = [own[0], own[1], ("refresh_token", refresh_token.as_str())];
    let refreshed = broker.token(&form).await;
    assert_eq!(refreshed.text("refresh_token"), refresh_token);
    broker.clock.advance(Duration::from_secs(86_400 - 61));
    assert_eq!(broker.token(&form).await.status, 200);
    let active = introspect().await;
    assert_eq!(active.json["active"], true, "{}", active.body);
    let lifetime = active.json["exp"].as_i64().unwrap() - active.json["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 86_400);
    broker.clock.advance(Duration::from_secs(1));
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
    assert_eq!(introspect().await.json, json!({ "active": false }));
}
