//! What operators and orchestrators ask, on an address of its own: is it alive, is it ready?

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;

use crate::app::App;

/// `/livez` and `/readyz`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(app)
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// The store can be written and read. Plaid's state does not count: its bad days are not ours.
async fn readyz(State(app): State<App>) -> Response {
    match app.store.check().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready: the store does not work");
            let body = Json(json!({ "status": "not ready", "store": error.to_string() }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
