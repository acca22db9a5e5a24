//! `/metrics`, for Prometheus.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::time::timeout;

use crate::app::App;
use crate::store::StoreError;
use crate::store::model::Counts;
use crate::telemetry::metrics::{self, Kept};

/// How long the store may take to count: by default Prometheus waits 10 s for the whole response.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);

/// Everything that is measured, with what the store keeps at this moment.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    app.metrics.flow.exchanges(app.connections.under_way());
    let counted = timeout(COUNTED_WITHIN, kept(&app)).await;
    let counted = counted.unwrap_or(Err(StoreError::Unavailable("it did not count in time")));
    let kept = counted
        .inspect_err(|error| tracing::warn!(%error, "store not counted for /metrics"))
        .ok();
    match app.metrics.text(kept.as_ref()) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics not encoded: internal error");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn kept(app: &App) -> Result<Kept, StoreError> {
    let counts = app.store.counts(app.clock.now()).await?;
    let size = app.store.size().await?;
    let live = counts.live();
    let Counts {
        live_by_health,
        ending,
        oldest_removal,
        removed,
        authorizations,
        codes_outstanding,
        grants,
    } = counts;
    Ok(Kept {
        connections: vec![("live", live), ("ending", ending), ("removed", removed)],
        health: live_by_health.into_iter().collect(),
        transactions: authorizations.into_iter().collect(),
        codes: codes_outstanding,
        grants,
        removals: ending,
        oldest_removal: oldest_removal.unwrap_or_default(),
        size,
    })
}
