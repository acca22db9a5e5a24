#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use tempfile::TempDir;

use super::*;
use crate::clock::{ManualClock, SharedClock, Timestamp};
use crate::config::{DatabaseUrl, KeySource, StoreConfig};
use crate::plaid::{PlaidClient, PlaidOptions, Timeouts};
use crate::secret::PlaidSecret;
use crate::store::model::Account;
use crate::store::{Durability, OpenOptions, Store};
use crate::telemetry::audit::Audit;
use crate::telemetry::metrics::Metrics;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A Plaid whose first answer is unclear and whose second one refuses the token. The store fails before that one arrives.
async fn exchange(State((store, calls)): State<(Store, Arc<AtomicUsize>)>) -> (StatusCode, &'static str) {
    if calls.fetch_add(1, Ordering::SeqCst) == 0 {
        return (StatusCode::BAD_GATEWAY, "");
    }
    store.close().await;
    let body = r#"{"error_type":"INVALID_INPUT","error_code":"INVALID_PUBLIC_TOKEN","error_message":""}"#;
    (StatusCode::BAD_REQUEST, body)
}

#[tokio::test]
async fn a_lost_exchange_is_reported_and_kept_when_the_store_then_fails() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let directory = TempDir::new().unwrap();
    let store = Store::open(OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(directory.path().join("sandbox.db")),
            keys: KeySource::File(directory.path().join("broker.key")),
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability: Durability::Off,
    })
    .await
    .unwrap();
    let router = Router::new()
        .route("/item/public_token/exchange", post(exchange))
        .with_state((store.clone(), Arc::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let plaid = PlaidClient::new(&PlaidOptions {
        base_url: base_url.parse().unwrap(),
        client_id: "id".to_owned(),
        secret: PlaidSecret::new("secret"),
        timeouts: Timeouts::default(),
    })
    .unwrap();
    let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_000_000_000)));
    let audit = Audit::new(store.clone(), Arc::clone(&clock), None, None);
    let metrics = Metrics::new("sandbox").unwrap();
    let connections = Connections::new(store, plaid, clock, audit, metrics.flow.clone());

    let public_token = PlaidPublicToken::new("public-sandbox-1");
    let origin = Origin::default();
    let outcome = connections
        .exchange_raw("kore".to_owned(), Vec::new(), public_token, origin)
        .await;
    assert!(matches!(outcome, Err(ExchangeError::Store(_))), "{outcome:?}");
    assert_eq!(connections.0.singleflight.kept().len(), 1);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("exchange lost"), "{log}");
}
