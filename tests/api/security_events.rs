//! What an operator's alarm waits for: a code or refresh token that comes again is in the audit log and in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plaid_token_broker::store::model::AuditRecord;
use plaid_token_broker::telemetry::audit::Flush;

use crate::code::{CHALLENGE, VERIFIER};
use crate::harness::TestBroker;
use crate::token::{SECOND, with_clients};

/// What is logged on this thread, on which the whole broker of a test runs, apart from its store.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The lines with this security event.
    fn events(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let event = format!("\"security.event\":\"{name}\"");
        let lines = text.lines().filter(|line| line.contains(&event));
        lines.map(str::to_owned).collect()
    }
}

async fn rows(broker: &TestBroker, event: &str) -> Vec<AuditRecord> {
    broker.app.audit.flush(Flush::All).await.unwrap();
    let rows = broker.app.store.audit_after(0, 10_000).await.unwrap();
    rows.into_iter().filter(|row| row.event == event).collect()
}

#[tokio::test]
async fn a_replayed_code_is_in_the_audit_log_and_a_security_event() {
    let (log, _guard) = Log::start();
    let broker = with_clients(&[]).await;
    let own = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    let public = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let second = format!("?client_id={}", SECOND.0);
    for (n, (query, client)) in [
        (second.as_str(), &own[..]),
        (&public, &[("client_id", "app"), ("code_verifier", VERIFIER)]),
    ]
    .into_iter()
    .enumerate()
    {
        let code = broker.code_of(query).await;
        let form = [client, &[("code", code.as_str())]].concat();
        assert_eq!(broker.token(&form).await.status, 200);
        assert_eq!(
            rows(&broker, "code.replayed").await.len(),
            n,
            "a first use is none"
        );
        broker.clock.advance(Duration::from_secs(60));
        assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));
        let found = rows(&broker, "code.replayed").await;
        assert_eq!(found.len(), n + 1, "{found:?}");
        let row = &found[n];
        assert_eq!((row.actor.as_str(), row.outcome.as_str()), ("client", "refused"));
        assert_eq!(row.client_id.as_deref(), Some(client[0].1));
        assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
        assert!(row.grant_id.is_some() && row.request_id.is_some(), "{row:?}");
        let events = log.events("code_replayed");
        assert_eq!(events.len(), n + 1, "{events:?}");
        assert!(events[n].contains("\"level\":\"WARN\""), "{events:?}");
        let ended = client[0].1 == "app";
        assert!(
            events[n].contains(&format!("\"grant_ended\":{ended}")),
            "{events:?}"
        );
        assert!(!events[n].contains(&code), "the code itself is not logged");
    }
}

#[tokio::test]
async fn a_reused_refresh_token_is_in_the_audit_log_and_a_security_event() {
    let (log, _guard) = Log::start();
    let broker = with_clients(&[]).await;
    let query = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = broker.code_of(&query).await;
    let form = [("client_id", "app"), ("code", &code), ("code_verifier", VERIFIER)];
    let first = broker.token(&form).await.text("refresh_token");
    let form = [("client_id", "app"), ("refresh_token", first.as_str())];
    assert_eq!(broker.token(&form).await.status, 200);
    // A lost answer is no theft.
    assert_eq!(broker.token(&form).await.status, 200);
    assert!(rows(&broker, "refresh_token.reused").await.is_empty());
    assert!(log.events("refresh_token_reused").is_empty());
    broker.clock.advance(Duration::from_secs(30));
    assert_eq!(broker.token(&form).await.oauth_error(), (400, "invalid_grant"));

    let found = rows(&broker, "refresh_token.reused").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let row = &found[0];
    assert_eq!((row.actor.as_str(), row.outcome.as_str()), ("client", "refused"));
    assert_eq!(row.client_id.as_deref(), Some("app"));
    assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
    assert!(row.grant_id.is_some() && row.connection_id.is_some(), "{row:?}");
    let ended = rows(&broker, "grant.revoked").await;
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0].actor, "broker");
    let events = log.events("refresh_token_reused");
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].contains("\"level\":\"WARN\"") && !events[0].contains(&first),
        "{events:?}"
    );
}
