//! The least that the same promise costs: the call upstream, and one row that is on the disk before the response.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use plaid_token_broker::clock::{Clock as _, SystemClock};
use plaid_token_broker::random;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Rows that share one commit at most.
const BATCH: usize = 256;

/// What stands in for Plaid and answers at once.
pub(crate) async fn upstream() -> SocketAddr {
    let exchange = || async {
        let id = Uuid::new_v4();
        Json(
            json!({ "access_token": format!("access-sandbox-{id}"), "item_id": format!("item-{id}"), "request_id": "r" }),
        )
    };
    let item = || async { Json(json!({ "item": { "item_id": "item" }, "request_id": "r" })) };
    let link = || async {
        Json(
            json!({ "link_token": "link-sandbox-0", "expiration": "2030-01-01T00:00:00Z", "request_id": "r" }),
        )
    };
    let router = Router::new()
        .route("/link/token/create", post(link))
        .route("/item/public_token/exchange", post(exchange))
        .route("/item/get", post(item));
    listen(router).await
}

#[derive(Clone)]
struct Floor {
    http: reqwest::Client,
    upstream: String,
    log: mpsc::Sender<Row>,
}

type Row = (Uuid, String, oneshot::Sender<()>);

/// Serves the floor. Its rows go into the file at `path`.
pub(crate) async fn serve(upstream: SocketAddr, path: &Path) -> SocketAddr {
    let (log, rows) = mpsc::channel();
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "FULL").unwrap();
    conn.execute_batch("CREATE TABLE log (id BLOB PRIMARY KEY, line TEXT NOT NULL) STRICT, WITHOUT ROWID")
        .unwrap();
    std::thread::spawn(move || append_all(&conn, &rows));
    // The client insists on one, also where everything is plain HTTP.
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    let floor = Floor {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        upstream: format!("http://{upstream}/item/public_token/exchange"),
        log,
    };
    let both = |State(floor): State<Floor>| async move {
        let answer = floor.ask().await;
        floor.append(&answer).await;
        Json(answer)
    };
    let append = |State(floor): State<Floor>| async move {
        let answer = json!({ "access_token": "access-sandbox-00000000-0000-0000-0000-000000000000" });
        floor.append(&answer).await;
        Json(answer)
    };
    let upstream = |State(floor): State<Floor>| async move { Json(floor.ask().await) };
    let router = Router::new()
        .route("/upstream-and-append", post(both))
        .route("/append", post(append))
        .route("/upstream", post(upstream))
        .with_state(floor);
    listen(router).await
}

impl Floor {
    async fn ask(&self) -> Value {
        let request = self
            .http
            .post(&self.upstream)
            .json(&json!({ "public_token": "public-sandbox-0" }));
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn append(&self, answer: &Value) {
        let (done, synced) = oneshot::channel();
        let id = random::id(SystemClock.now());
        self.log.send((id, answer.to_string(), done)).unwrap();
        synced.await.unwrap();
    }
}

/// All rows that wait share one commit.
fn append_all(conn: &Connection, rows: &mpsc::Receiver<Row>) {
    while let Ok(first) = rows.recv() {
        let batch: Vec<Row> = std::iter::once(first)
            .chain(rows.try_iter().take(BATCH - 1))
            .collect();
        conn.prepare_cached("BEGIN IMMEDIATE")
            .unwrap()
            .execute([])
            .unwrap();
        for (id, line, _) in &batch {
            conn.prepare_cached("INSERT INTO log (id, line) VALUES (?1, ?2)")
                .unwrap()
                .execute((id.as_bytes(), line))
                .unwrap();
        }
        conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
        for (_, _, done) in batch {
            done.send(()).unwrap_or_default();
        }
    }
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}
