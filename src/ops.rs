//! What operators and orchestrators ask, on an address of its own: is it alive, is it ready?

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;
use tokio::sync::Mutex;

use crate::app::App;
use crate::clock::Timestamp;
use crate::control;
use crate::store::StoreError;

/// How long a check of the store is reused: it writes and syncs, and probes may come from several sides.
const REUSED: Duration = Duration::from_secs(2);

type Checked = (Timestamp, Result<(), StoreError>);

#[derive(Clone)]
struct Ops {
    app: App,
    checked: Arc<Mutex<Option<Checked>>>,
}

/// `/livez`, `/readyz` and the operators' `/control`.
pub fn router(app: App) -> Router {
    let checked = Arc::default();
    let control = control::router(app.clone());
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(Ops { app, checked })
        .merge(control)
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// The store can be written and read. Plaid's state does not count: its bad days are not ours.
async fn readyz(State(ops): State<Ops>) -> Response {
    match ops.check().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            let body = Json(json!({ "status": "not ready", "store": error.to_string() }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

impl Ops {
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
            tracing::error!(%error, "not ready: the store does not work");
        }
        *checked = Some((now, result.clone()));
        result
    }
}
