//! A request id for every request: in each of its log lines, in the answer's `X-Request-Id`, on error pages.
//!
//! It is always our own: one that came from outside would let strangers write into our log.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use tracing::Instrument as _;

use crate::random;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being served, for error bodies and pages; empty outside of one.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Adds the request id to the log span, to error bodies, and to the response.
pub async fn layer(request: Request, next: Next) -> Response {
    let id = URL_SAFE_NO_PAD.encode(random::bytes::<9>());
    let header = HeaderValue::from_str(&id).ok();
    let span = tracing::error_span!("request", request_id = %id);
    let mut response = CURRENT.scope(id, next.run(request)).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert("x-request-id", header);
    }
    response
}
