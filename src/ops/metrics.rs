//! `/metrics`, for Prometheus.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::metrics;

/// Everything that is measured, with what the store keeps at this moment.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    app.metrics.flow.exchanges(app.connections.under_way());
    match app.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be told: this is a mistake of this program");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
