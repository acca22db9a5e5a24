//! What the audit log tells after real requests, and what strangers cannot do to it.

use std::time::Duration;

use plaid_token_broker::store::model::{AuditRecord, ConnectionFilter, ConnectionSummary};
use plaid_token_broker::telemetry::audit::{Actor, Flush, Origin};
use serde_json::Value;

use crate::harness::{CALLBACK, TestBroker, encode};

async fn log(broker: &TestBroker) -> Vec<AuditRecord> {
    broker.app.audit.flush(Flush::All).await.unwrap();
    broker.app.store.audit_after(0, 10_000).await.unwrap()
}

async fn events(broker: &TestBroker) -> Vec<String> {
    log(broker).await.into_iter().map(|row| row.event).collect()
}

async fn connections(broker: &TestBroker) -> Vec<ConnectionSummary> {
    let filter = ConnectionFilter {
        limit: 100,
        ..ConnectionFilter::default()
    };
    broker.app.store.connections(filter).await.unwrap()
}

/// How many transactions the store's writer has committed.
async fn commits(broker: &TestBroker) -> f64 {
    let text = broker
        .http
        .get(format!("{}/metrics", broker.ops_url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("ptb_store_commits_total{outcome=\"ok\"}"));
    line.unwrap().rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_flow_is_told_from_its_page_to_its_end() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    broker.refresh(&tokens.text("refresh_token")).await;
    let revoked = broker
        .post("/oauth/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encode(&[
            ("token", &tokens.text("refresh_token")),
            ("client_id", plaid_token_broker::simulator::CLIENT_ID),
            ("client_secret", plaid_token_broker::simulator::SECRET),
        ]))
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 200);
    let log = log(&broker).await;
    let told: Vec<_> = log
        .iter()
        .map(|row| (row.event.as_str(), row.actor.as_str()))
        .collect();
    for expected in [
        ("authorization.opened", "person"),
        ("authorization.completed", "person"),
        ("code.redeemed", "client"),
        ("token.refreshed", "client"),
        ("grant.revoked", "client"),
        ("connection.ended", "client"),
    ] {
        assert!(told.contains(&expected), "{expected:?} is missing in {told:?}");
    }
    for row in log.iter().filter(|row| row.actor != "broker") {
        assert_eq!(row.address.as_deref(), Some("127.0.0.1"), "{row:?}");
        assert!(row.request_id.is_some(), "{row:?}");
        assert_eq!(
            row.client_id.as_deref(),
            Some(plaid_token_broker::simulator::CLIENT_ID)
        );
    }
}

#[tokio::test]
async fn refused_attempts_are_told_in_words_of_ours_alone() {
    let broker = TestBroker::start().await;
    let secret = "ptb_not_a_secret_that_anybody_has";
    for form in [
        vec![("code", secret), ("client_secret", secret)],
        vec![("refresh_token", secret)],
        vec![("client_id", secret), ("code", "x")],
        vec![("code", secret), ("code", "2")],
    ] {
        assert!(broker.token(&form).await.status >= 400);
    }
    let evil = format!("/?redirect_uri=https%3A%2F%2Fevil.example%2F{secret}&client_id={secret}");
    broker.get(&evil).send().await.unwrap();
    broker
        .get(&format!("/?redirect_uri=https%3A%2F%2Fevil.example%2F{secret}"))
        .send()
        .await
        .unwrap();
    broker
        .get(&format!("/?response_type={secret}&redirect_uri={CALLBACK}"))
        .send()
        .await
        .unwrap();
    let log = log(&broker).await;
    let details: Vec<_> = log.iter().filter_map(|row| row.detail.as_deref()).collect();
    for expected in [
        "token: the client secret is wrong",
        "token: there is no client with this client_id",
        "token: the parameters cannot be used",
        "the client_id is not known",
        "the redirect_uri is not registered",
        "unsupported_response_type",
    ] {
        assert!(
            details.contains(&expected),
            "{expected:?} is missing in {details:?}"
        );
    }
    assert!(log.iter().all(|row| row.outcome == "refused"));
    let json = serde_json::to_string(&log).unwrap();
    assert!(!json.contains(secret), "{json}");
}

#[tokio::test]
async fn a_flood_of_refused_attempts_costs_no_synced_write_each_and_few_rows() {
    let broker = TestBroker::start_with(&[("BROKER_RATE_LIMIT", "off")]).await;
    broker.tokens().await;
    broker.app.audit.flush(Flush::All).await.unwrap();
    let (before, rows_before) = (commits(&broker).await, log(&broker).await.len());
    for _ in 0..300 {
        let wrong = broker
            .token(&[("client_secret", "wrong wrong wrong"), ("code", "x")])
            .await;
        assert_eq!(wrong.status, 401);
    }
    let after = commits(&broker).await;
    assert!(
        after - before < 30.0,
        "{} commits for 300 refused attempts",
        after - before
    );
    let log = log(&broker).await;
    let refused: Vec<_> = log
        .iter()
        .skip(rows_before)
        .filter(|row| row.event == "token.refused")
        .collect();
    assert!(refused.len() <= 3, "{refused:?}");
    assert_eq!(refused.iter().map(|row| row.times).sum::<u64>(), 300);
}

#[tokio::test]
async fn refreshes_are_reads_and_are_still_told_with_the_health() {
    let broker = TestBroker::start_with(&[("BROKER_RATE_LIMIT", "off")]).await;
    let tokens = broker.tokens().await;
    let (refresh, item) = (tokens.text("refresh_token"), tokens.text("item_id"));
    assert_eq!(broker.refresh(&refresh).await.status, 200);
    broker.app.audit.flush(Flush::All).await.unwrap();
    let before = commits(&broker).await;
    for _ in 0..100 {
        assert_eq!(broker.refresh(&refresh).await.status, 200);
    }
    let after = commits(&broker).await;
    assert!(
        after - before < 15.0,
        "{} commits for 100 refreshes",
        after - before
    );
    broker.app.audit.flush(Flush::All).await.unwrap();
    let listed = connections(&broker).await;
    let connection = listed.first().unwrap();
    assert!(connection.refreshed_at().is_some());
    assert_eq!(connection.health.as_ref().unwrap().word, "healthy");
    let access_token = tokens.text("access_token");
    let reset = broker
        .plaid(
            "/sandbox/item/reset_login",
            serde_json::json!({ "access_token": access_token }),
        )
        .await;
    assert_eq!(reset.status, 200, "{}", reset.body);
    broker.clock.advance(Duration::from_secs(61));
    assert_eq!(broker.refresh(&refresh).await.status, 400);
    broker.app.audit.flush(Flush::All).await.unwrap();
    let listed = connections(&broker).await;
    assert_eq!(listed.first().unwrap().item_id, item);
    assert_eq!(
        listed.first().unwrap().health.as_ref().unwrap().word,
        "ITEM_LOGIN_REQUIRED"
    );
}

#[tokio::test]
async fn the_file_has_each_row_once_also_after_rotation_and_restart() {
    let dir = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let file = dir.path().join("audit.jsonl");
    let settings = [("BROKER_AUDIT_FILE", file.to_str().unwrap())];
    let broker = TestBroker::start_in(dir.clone(), &settings).await;
    broker.tokens().await;
    broker.app.audit.flush(Flush::All).await.unwrap();
    let first = std::fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let moved = dir.path().join("audit.1");
    std::fs::rename(&file, &moved).unwrap();
    broker.tokens().await;
    assert!(broker.stop().await);
    let broker = TestBroker::start_in(dir.clone(), &settings).await;
    broker.tokens().await;
    let rows = log(&broker).await;
    let text = first + &std::fs::read_to_string(&file).unwrap();
    let lines: Vec<AuditRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, rows);
    for secret in [
        "access-",
        "public-",
        "ptb_",
        plaid_token_broker::simulator::SECRET,
    ] {
        assert!(!text.contains(secret), "{secret} stands in the audit file");
    }
}

#[tokio::test]
async fn an_audit_file_that_cannot_be_written_stops_the_start_with_its_name() {
    use plaid_token_broker::config::{Config, LoadOptions};
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", dir.path().join("a.db").display());
    let file = dir.path().join("none/audit.jsonl");
    let env = [
        ("APP_PORT", "0"),
        ("BROKER_OPS_BIND", "127.0.0.1:0"),
        ("BROKER_SIMULATOR_BIND", "127.0.0.1:0"),
        ("DATABASE_URL", &database),
        ("BROKER_AUDIT_FILE", file.to_str().unwrap()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(env, None, LoadOptions::default()).unwrap();
    let started =
        plaid_token_broker::server::build(config, plaid_token_broker::server::Dependencies::default()).await;
    let error = started.err().unwrap().to_string();
    assert!(
        error.contains("BROKER_AUDIT_FILE") && error.contains("audit.jsonl"),
        "{error}"
    );
}

#[tokio::test]
async fn an_allowed_callback_works_at_once_after_a_reload_and_after_a_restart() {
    let dir = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let broker = TestBroker::start_in(dir.clone(), &[]).await;
    let client = plaid_token_broker::simulator::CLIENT_ID;
    let uri = "https://idp.kore.com/workflows/callback";
    let query = "/?redirect_uri=https%3A%2F%2Fidp.kore.com%2Fworkflows%2Fcallback";
    let status = |path: &'static str| {
        let request = broker.get(path);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(status(query).await, 400);
    let admin = || Origin::actor(Actor::Admin);
    for bad in ["http://evil.example/", "https://a.example/*", "rubbish"] {
        let refused = broker
            .app
            .allow_redirect_uri(client, bad, admin())
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("callback URL"), "{refused}");
    }
    let refused = broker
        .app
        .allow_redirect_uri("nobody", uri, admin())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("nobody"), "{refused}");
    assert!(broker.app.allow_redirect_uri(client, uri, admin()).await.unwrap());
    assert!(!broker.app.allow_redirect_uri(client, uri, admin()).await.unwrap());
    assert_eq!(status(query).await, 200);
    broker.app.reload_clients().unwrap();
    assert_eq!(status(query).await, 200);
    let listed = broker.app.allowed_redirect_uris().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(broker.stop().await);
    let broker = TestBroker::start_in(dir, &[]).await;
    let status = |path: &'static str| {
        let request = broker.get(path);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(status(query).await, 200);
    assert!(
        broker
            .app
            .forget_redirect_uri(client, uri, admin())
            .await
            .unwrap()
    );
    assert_eq!(status(query).await, 400);
    let events = events(&broker).await;
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!(
        (count("redirect_uri.allowed"), count("redirect_uri.forgotten")),
        (1, 1)
    );
}

#[tokio::test]
async fn ended_connections_are_removed_at_plaid() {
    use plaid_token_broker::plaid::connections;
    use plaid_token_broker::store::model::EndTarget;
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    let store = broker.app.store.by(Origin::actor(Actor::Operator));
    let ended = connections::end(&store, &broker.app.clock, &EndTarget::All, |_, _| {});
    let ended = ended.await.unwrap();
    assert_eq!((ended.connections, ended.grants), (1, 1));
    broker.app.connections.removals_wanted();
    let refused = broker.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_grant"));
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        if events(&broker)
            .await
            .iter()
            .any(|event| event == "connection.removed")
        {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the Item was not removed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gone = broker
        .plaid(
            "/item/get",
            serde_json::json!({ "access_token": tokens.text("access_token") }),
        )
        .await;
    assert_eq!(gone.status, 400, "{}", gone.body);
    let _: Value = serde_json::from_str(&gone.body).unwrap();
}
