//! One log line per request: method, path and status; never the query string, which holds codes and state.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use super::peer::Peer;
use super::request_id;

/// Logs the request once its answer stands.
pub async fn layer(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The route and not what was typed: strangers do not choose what stands in the log.
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(no route)".to_owned(), |path| path.as_str().to_owned());
    let address = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.address.to_string());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let id = request_id::current();
    tracing::info!(target: "plaid_token_broker::request", request_id = %id, %method, path, status, elapsed_ms,
        client.address = address, "request");
    response
}
