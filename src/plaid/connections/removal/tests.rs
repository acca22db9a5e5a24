#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod shared_items;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::RETRY_AFTER;
use tempfile::TempDir;

use super::*;
use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::config::{DatabaseUrl, KeySource, StoreConfig};
use crate::plaid::{ApiError, PlaidClient, PlaidOptions, Timeouts};
use crate::random;
use crate::secret::{PlaidAccessToken, PlaidSecret};
use crate::store::model::{
    Account, ConnectionId, EndTarget, GrantId, NewConnection, NewGrant, Nonce, PublicTokenHash, RawExchange,
};
use crate::store::{Durability, OpenOptions, Store};
use crate::telemetry::audit::Audit;
use crate::telemetry::metrics::Metrics;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

type Answers = dyn Fn(usize) -> Response + Send + Sync;

/// What stands for Plaid: answers `/item/remove` by the number of the call.
#[derive(Clone)]
struct Plaid {
    calls: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    answer: Arc<Answers>,
}

impl Plaid {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn item_remove(State(plaid): State<Plaid>) -> Response {
    let call = plaid.calls.fetch_add(1, Ordering::SeqCst);
    let at_once = plaid.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    plaid.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    // Long enough for all that may come at the same time to have come.
    tokio::time::sleep(Duration::from_millis(30)).await;
    plaid.under_way.fetch_sub(1, Ordering::SeqCst);
    (plaid.answer)(call)
}

fn removed(_: usize) -> Response {
    r#"{"request_id":"r"}"#.into_response()
}

fn broken(_: usize) -> Response {
    let body = r#"{"error_type":"API_ERROR","error_code":"INTERNAL_SERVER_ERROR","error_message":""}"#;
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}

/// A store with connections that were ended, and a Plaid.
struct Setting {
    connections: Connections,
    store: Store,
    clock: Arc<ManualClock>,
    plaid: Plaid,
    directory: TempDir,
}

fn options(directory: &TempDir) -> OpenOptions {
    OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(directory.path().join("sandbox.db")),
            keys: KeySource::File(directory.path().join("broker.key")),
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability: Durability::Off,
    }
}

fn connections(store: Store, base_url: &str, clock: &Arc<ManualClock>) -> Connections {
    let options = PlaidOptions {
        base_url: base_url.parse().unwrap(),
        client_id: "id".to_owned(),
        secret: PlaidSecret::new("secret"),
        timeouts: Timeouts::default(),
    };
    let metrics = Metrics::new("sandbox").unwrap();
    let clock: crate::clock::SharedClock = clock.clone();
    let audit = Audit::new(store.clone(), Arc::clone(&clock), None, None);
    Connections::new(
        store,
        PlaidClient::new(&options).unwrap(),
        clock,
        audit,
        metrics.flow.clone(),
    )
}

/// Stores a connection to the Item with this number.
async fn exchanged(store: &Store, number: usize) {
    let exchange = RawExchange {
        public_token: PublicTokenHash(rand::random()),
        connection: NewConnection {
            id: ConnectionId(random::id(NOW)),
            item_id: format!("item-{number}"),
            access_token: PlaidAccessToken::new(format!("access-sandbox-{number}")),
            institution_id: None,
            institution_name: None,
        },
        grant: NewGrant {
            id: GrantId(random::id(NOW)),
            nonce: Nonce(rand::random()),
            client_id: "kore".to_owned(),
            scope: vec!["auth".to_owned()],
        },
    };
    store.exchange_raw(exchange, NOW).await.unwrap();
}

impl Setting {
    async fn with(
        ended: usize,
        answer: impl Fn(usize) -> Response + Send + Sync + 'static,
    ) -> (Self, String) {
        let directory = TempDir::new().unwrap();
        let store = Store::open(options(&directory)).await.unwrap();
        for number in 0..ended {
            exchanged(&store, number).await;
        }
        let clock = Arc::new(ManualClock::at(NOW));
        let shared: crate::clock::SharedClock = clock.clone();
        let ended = crate::plaid::connections::end(&store, &shared, &EndTarget::All, |_, _| {});
        ended.await.unwrap();
        let plaid = Plaid {
            calls: Arc::default(),
            under_way: Arc::default(),
            most_at_once: Arc::default(),
            answer: Arc::new(answer),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/item/remove", post(item_remove))
            .with_state(plaid.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        let setting = Self {
            connections: connections(store.clone(), &url, &clock),
            store,
            clock,
            plaid,
            directory,
        };
        (setting, url)
    }

    fn worker(&self, rate: u32) -> RemovalWorker {
        worker(self.connections.clone(), rate)
    }
}

fn worker(connections: Connections, rate: u32) -> RemovalWorker {
    let abandon_after = AbandonAfter {
        unredeemed: Duration::from_secs(3600),
        session: Duration::from_secs(3600),
    };
    RemovalWorker::new(connections, abandon_after, rate)
}

/// Waits, with a bound for a worker that does nothing.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap();
}

#[tokio::test]
async fn it_works_while_anything_is_due_and_on_a_bounded_number_at_once() {
    let (setting, _) = Setting::with(80, removed).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(setting.worker(60_000).run(stop.clone()));
    // Without a pause of half a minute between batches.
    until(|| setting.plaid.calls() == 80).await;
    stop.cancel();
    running.await.unwrap();
    setting.connections.finished().await;
    let most = setting.plaid.most_at_once.load(Ordering::SeqCst);
    assert!((2..=32).contains(&most), "{most} at the same time");
    let left = setting
        .store
        .take_removals(NOW.plus(LEASE * 2), NOW, 100)
        .await
        .unwrap();
    assert_eq!(left.leased, 0);
}

#[tokio::test]
async fn the_rate_is_kept() {
    let (setting, _) = Setting::with(3, removed).await;
    // One in a minute: the second would be due after that.
    let running = tokio::spawn(setting.worker(1).run(CancellationToken::new()));
    until(|| setting.plaid.calls() == 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(setting.plaid.calls(), 1);
    running.abort();
    assert_eq!(setting.worker(1).spacing(1), Duration::from_secs(60));
    assert_eq!(setting.worker(600).spacing(10), Duration::from_secs(1));
}

#[tokio::test]
async fn a_rate_limit_pauses_all_removals_as_long_as_plaid_says() {
    let limited = |_| {
        let body = r#"{"error_type":"RATE_LIMIT_EXCEEDED","error_code":"RATE_LIMIT","error_message":""}"#;
        (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "3600")], body).into_response()
    };
    let (setting, _) = Setting::with(40, limited).await;
    let running = tokio::spawn(setting.worker(60_000).run(CancellationToken::new()));
    until(|| setting.plaid.calls() == 32).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        setting.plaid.calls(),
        32,
        "those that were under way, and no other"
    );
    running.abort();
}

#[tokio::test]
async fn two_workers_share_the_queue_and_a_killed_ones_lease_runs_out() {
    let (setting, url) = Setting::with(40, removed).await;
    // An instance takes some and is killed.
    let killed = setting
        .store
        .take_removals(NOW, NOW.plus(LEASE), 10)
        .await
        .unwrap();
    assert_eq!(killed.removals.len(), 10);
    let other = connections(setting.store.clone(), &url, &setting.clock);
    let (first, second) = (setting.worker(1_200), worker(other, 1_200));
    let (first, second) = tokio::join!(first.look(), second.look());
    assert_eq!(first.unwrap() + second.unwrap(), 30);
    assert_eq!(setting.plaid.calls(), 30, "each is asked for once");
    setting.clock.advance(LEASE);
    assert_eq!(setting.worker(1_200).look().await.unwrap(), 10);
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn failures_are_remembered_over_restarts_until_they_are_the_operators_matter() {
    let (setting, url) = Setting::with(1, broken).await;
    let log = Kept::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // This test has one thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut store = setting.store.clone();
    let mut told = Vec::new();
    for failure in 0..6_u32 {
        let connections = connections(store.clone(), &url, &setting.clock);
        assert_eq!(worker(connections, 600).look().await.unwrap(), 0);
        let lines = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
        let line = lines.lines().find(|line| line.contains("attempts=")).unwrap();
        told.push((
            line.contains(" ERROR "),
            line.contains(&format!("attempts={}", failure + 1)),
        ));
        // A broker that was started again has nothing but the store.
        store.close().await;
        store = Store::open(options(&setting.directory)).await.unwrap();
        let due = pause(failure);
        setting
            .clock
            .advance(due.saturating_sub(Duration::from_millis(1)));
        let early = store.take_removals(setting.clock.now(), NOW, 1).await.unwrap();
        assert_eq!(early.leased, 0, "the pause after failure {}", failure + 1);
        setting.clock.advance(Duration::from_millis(1));
    }
    let warning = (false, true);
    let error = (true, true);
    assert_eq!(told, [warning, warning, warning, warning, error, error]);
}

#[test]
fn the_pause_doubles_up_to_its_end() {
    assert_eq!(pause(0), Duration::from_secs(30));
    assert_eq!(pause(1), Duration::from_secs(60));
    assert_eq!(pause(60), LONGEST_PAUSE);
}

#[test]
fn an_answer_that_could_mean_a_wrong_account_is_not_gone() {
    let api = |code: &str| {
        Err(PlaidError::Api(Box::new(ApiError {
            error_code: code.to_owned(),
            ..ApiError::default()
        })))
    };
    assert!(is_gone(&Ok(String::new())));
    assert!(is_gone(&api("ITEM_NOT_FOUND")));
    assert!(!is_gone(&api("INVALID_ACCESS_TOKEN")));
    assert!(!is_gone(&api("INVALID_API_KEYS")));
    assert!(!is_gone(&api("USER_PERMISSION_REVOKED")));
    assert!(!is_gone(&Err(PlaidError::Broken)));
}
