//! No request waits for ever: a handler that has no answer in time is dropped, and what it began at Plaid goes on.

use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// Longer than a slow body and two tries of an exchange with Plaid.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

pub async fn layer(request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        return response;
    }
    tracing::error!("request timed out");
    let body = json!({
        "error": "temporarily_unavailable",
        "error_description": "there was no answer in time; try again shortly",
    });
    let retry = [(RETRY_AFTER, HeaderValue::from_static("5"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, Json(body)).into_response()
}
