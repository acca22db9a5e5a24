//! Readiness: whether a load balancer should send requests here.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How long a check of the store is reused: it writes and syncs, and probes may come from several sides.
const REUSED: Duration = Duration::from_secs(2);

const OK: &str = "ok";

type Checked = (Timestamp, Result<(), StoreError>);

#[derive(Clone)]
pub(super) struct Readiness {
    app: App,
    draining: CancellationToken,
    checked: Arc<Mutex<Option<Checked>>>,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    store: String,
    keys: String,
    /// How Plaid answered last; it does not count.
    plaid: Plaid,
}

#[derive(Serialize)]
struct Plaid {
    last_call: Option<LastCall>,
}

#[derive(Serialize)]
struct LastCall {
    endpoint: &'static str,
    outcome: String,
    age_seconds: u64,
}

/// The store can be written and read, its keys open it, and we are not about to stop. Plaid's state is reported but does not
/// count: refreshes work without it.
pub(super) async fn readyz(State(readiness): State<Readiness>) -> Response {
    let checked = readiness.check().await;
    let (status, summary) = if readiness.draining.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if checked.is_ok() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let (store, keys) = match checked {
        Ok(()) => (OK.to_owned(), OK.to_owned()),
        // The store answered, or there would be nothing to open.
        Err(error @ StoreError::Sealed(_)) => (OK.to_owned(), error.to_string()),
        Err(error) => (error.to_string(), "not asked".to_owned()),
    };
    let last_call = readiness.app.metrics.plaid.last().map(|last| LastCall {
        endpoint: last.endpoint,
        outcome: last.outcome,
        age_seconds: last.at.elapsed().as_secs(),
    });
    let report = Report {
        status: summary,
        store,
        keys,
        plaid: Plaid { last_call },
    };
    (status, Json(report)).into_response()
}

impl Readiness {
    pub(super) fn new(app: App, draining: CancellationToken) -> Self {
        Self {
            app,
            draining,
            checked: Arc::default(),
        }
    }

    async fn check(&self) -> Result<(), StoreError> {
        let mut checked = self.checked.lock().await;
        let now = self.app.clock.now();
        if let Some((_, result)) = checked
            .as_ref()
            .filter(|(at, _)| now >= *at && now.since(*at) < REUSED)
        {
            return result.clone();
        }
        let result = self.app.store.check().await;
        if let Err(error) = &result {
            tracing::error!(%error, "not ready: the store failed its check");
        }
        *checked = Some((now, result.clone()));
        result
    }
}
