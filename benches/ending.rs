//! What ending many connections, sweeping up unused ones, and long lists cost everybody else, on an `SQLite` store with
//! 500,000 connections.
//!
//! `cargo bench --bench ending` makes the store (in a temporary folder, through the store's own calls), measures, prints,
//! and ends with exit code 1 when a bound is not kept. Another number of connections: `cargo bench --bench ending -- 50000`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for the command line that ends when anything is wrong"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plaid_token_broker::clock::{Clock as _, SharedClock, SystemClock, Timestamp};
use plaid_token_broker::config::{DatabaseUrl, KeySource, StoreConfig};
use plaid_token_broker::plaid::connections;
use plaid_token_broker::random;
use plaid_token_broker::secret::PlaidAccessToken;
use plaid_token_broker::store::model::{
    Abandonment, Account, AuthorizationId, Completion, ConnectionFilter, ConnectionId, ConnectionState,
    EndTarget, Flow, GrantId, NewAuthorization, NewConnection, NewGrant, Nonce, OAuthRequest,
    PublicTokenHash, RawExchange,
};
use plaid_token_broker::store::{Durability, OpenOptions, Store};
use tempfile::TempDir;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 500_000;
/// Completed authorizations whose code nobody redeems.
const UNREDEEMED: usize = 20_000;
/// Decisions that wait for the writer at the same time while the store is made.
const TASKS: usize = 256;
const LISTS: usize = 4;
const SAMPLES: Duration = Duration::from_secs(5);
/// Between two calls whose wait is measured.
const EVERY: Duration = Duration::from_millis(5);

/// The longest that another write may wait.
const LONGEST_WRITE: Duration = Duration::from_millis(50);
/// The longest that a refresh's look-up may wait while lists run.
const LONGEST_REFRESH: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(count.unwrap_or(CONNECTIONS)))
}

async fn run(count: usize) -> ExitCode {
    let directory = TempDir::new().unwrap();
    let began = Instant::now();
    let grants = make(&directory, count).await;
    println!(
        "made {count} connections in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let store = open(&directory, Durability::Full).await;
    let clock: SharedClock = Arc::new(SystemClock);

    let idle = Meter::writes(&store);
    tokio::time::sleep(SAMPLES).await;
    idle.stop().await.print("another write, nothing else going on");
    let idle = Meter::refreshes(&store, &grants);
    tokio::time::sleep(SAMPLES).await;
    idle.stop()
        .await
        .print("a refresh's look-up, nothing else going on");

    let refreshes = Meter::refreshes(&store, &grants);
    let lists = lists(&store).await;
    let refreshes = refreshes.stop().await;
    println!("{LISTS} lists at the same time, {lists} in all");
    refreshes.print("a refresh's look-up meanwhile");

    let writes = Meter::writes(&store);
    let mut removed = 0;
    let mut most = 0;
    let began = Instant::now();
    loop {
        let now = SystemClock.now();
        let abandonment = Abandonment {
            unredeemed_before: now,
            sessions_before: now,
        };
        let abandoned = store.abandon(abandonment, now).await.unwrap();
        if abandoned == 0 {
            break;
        }
        removed += abandoned;
        most = most.max(abandoned);
    }
    let took = began.elapsed();
    let sweep = writes.stop().await;
    println!(
        "abandoned {removed} in {:.1} s, at most {most} per commit",
        took.as_secs_f64()
    );
    sweep.print("another write meanwhile");

    let writes = Meter::writes(&store);
    let refreshes = Meter::refreshes(&store, &grants);
    let began = Instant::now();
    let (mut steps, mut most, mut before) = (0_u64, 0, 0);
    let ended = connections::end(&store, &clock, &EndTarget::All, |_, ended| {
        steps += 1;
        most = most.max(ended.connections - before);
        before = ended.connections;
    });
    let ended = ended.await.unwrap();
    let took = began.elapsed();
    let (writes, refreshes) = (writes.stop().await, refreshes.stop().await);
    println!(
        "ended {} connections and {} grants in {:.1} s, in {steps} steps, at most {most} connections ({} rows) per commit",
        ended.connections,
        ended.grants,
        took.as_secs_f64(),
        // The connection, its grant, its removal, and two rows of the audit log.
        most * 5
    );
    writes.print("another write meanwhile");
    refreshes.print("a refresh's look-up meanwhile");
    store.close().await;

    let kept = writes.longest() <= LONGEST_WRITE
        && sweep.longest() <= LONGEST_WRITE
        && refreshes.longest() <= LONGEST_REFRESH;
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn open(directory: &TempDir, durability: Durability) -> Store {
    let options = OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(directory.path().join("bench.db")),
            keys: KeySource::File(directory.path().join("broker.key")),
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability,
    };
    Store::open(options).await.unwrap()
}

/// Returns some of the grants.
async fn make(directory: &TempDir, count: usize) -> Arc<Vec<GrantId>> {
    let store = open(directory, Durability::Off).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        let share = count / TASKS + usize::from(task < count % TASKS);
        let unredeemed = UNREDEEMED.min(count) / TASKS;
        tasks.spawn(async move {
            let mut some = Vec::new();
            for number in 0..share {
                let exchange = raw_exchange();
                if number % 50 == 0 {
                    some.push(exchange.grant.id);
                }
                store.exchange_raw(exchange, SystemClock.now()).await.unwrap();
            }
            for _ in 0..unredeemed {
                complete(&store).await;
            }
            some
        });
    }
    let grants = tasks.join_all().await.concat();
    store.close().await;
    Arc::new(grants)
}

fn connection(now: Timestamp) -> NewConnection {
    let id = ConnectionId(random::id(now));
    NewConnection {
        id,
        item_id: format!("item-{id}"),
        access_token: PlaidAccessToken::new(format!("access-sandbox-{id}")),
        institution_id: Some("ins_109508".to_owned()),
        institution_name: Some("First Platypus Bank".to_owned()),
    }
}

fn raw_exchange() -> RawExchange {
    let now = SystemClock.now();
    RawExchange {
        public_token: PublicTokenHash(random::bytes()),
        connection: connection(now),
        grant: NewGrant {
            id: GrantId(random::id(now)),
            nonce: Nonce(random::bytes()),
            client_id: "kore".to_owned(),
            scope: vec!["auth".to_owned(), "transactions".to_owned()],
        },
    }
}

async fn complete(store: &Store) {
    let now = SystemClock.now();
    let id = AuthorizationId(random::id(now));
    let new = NewAuthorization {
        id,
        nonce: Nonce(random::bytes()),
        flow: Flow::OAuth(OAuthRequest {
            client_id: "kore".to_owned(),
            redirect_uri: "https://idp.kore.ai/callback".to_owned(),
            state: Some("state".to_owned()),
            code_challenge: None,
        }),
        scope: None,
        client_user_id: "user".to_owned(),
        created_at: now,
        expires_at: now.plus(Duration::from_secs(1800)),
    };
    store.start_link(new, 1, now).await.unwrap();
    let completion = Completion {
        authorization_id: id,
        public_token: PublicTokenHash(random::bytes()),
        connection: connection(now),
        code_ttl: Duration::from_secs(300),
    };
    store.complete(completion, now).await.unwrap();
}

/// Lists as the admin pages and the command line ask for them, each of which reads every row. Returns their number.
async fn lists(store: &Store) -> usize {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for list in 0..LISTS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while began.elapsed() < SAMPLES {
                let filter = match list % 2 {
                    0 => ConnectionFilter {
                        client_id: Some("nobody".to_owned()),
                        limit: 51,
                        ..ConnectionFilter::default()
                    },
                    _ => ConnectionFilter {
                        state: Some(ConnectionState::Removed),
                        limit: 51,
                        ..ConnectionFilter::default()
                    },
                };
                store.connections(filter).await.unwrap();
                done += 1;
            }
            done
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// Measures the waits of one call after another until it is stopped.
struct Meter {
    stop: Arc<AtomicBool>,
    running: tokio::task::JoinHandle<Waits>,
}

struct Waits(Vec<Duration>);

impl Meter {
    fn start<F: Future<Output = ()> + Send + 'static>(
        mut call: impl FnMut(usize) -> F + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let running = tokio::spawn(async move {
            let mut waits = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                call(waits.len()).await;
                waits.push(began.elapsed());
                tokio::time::sleep(EVERY).await;
            }
            waits.sort();
            Waits(waits)
        });
        Self { stop, running }
    }

    /// A whole exchange: the write that people wait for.
    fn writes(store: &Store) -> Self {
        let store = store.clone();
        Self::start(move |_| {
            let store = store.clone();
            async move {
                store
                    .exchange_raw(raw_exchange(), SystemClock.now())
                    .await
                    .unwrap();
            }
        })
    }

    /// What a refresh asks of the store.
    fn refreshes(store: &Store, grants: &Arc<Vec<GrantId>>) -> Self {
        let (store, grants) = (store.clone(), Arc::clone(grants));
        Self::start(move |call| {
            let store = store.clone();
            let grant = grants.get(call * 7919 % grants.len()).copied();
            async move {
                store.grant(grant.unwrap()).await.unwrap();
            }
        })
    }

    async fn stop(self) -> Waits {
        self.stop.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

impl Waits {
    fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    fn print(&self, what: &str) {
        let at = |thousandths: usize| {
            let place = (self.0.len() * thousandths / 1000).min(self.0.len().saturating_sub(1));
            self.0.get(place).copied().unwrap_or_default().as_secs_f64() * 1000.0
        };
        println!(
            "  {what}: median {:.1} ms, 99 of 100 within {:.1} ms, longest {:.1} ms ({} calls)",
            at(500),
            at(990),
            self.longest().as_secs_f64() * 1000.0,
            self.0.len()
        );
    }
}
