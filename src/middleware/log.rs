//! One log line per request: method, path and status; never the query string, which holds codes and state. A request
//! whose caller hangs up has its line too.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;

use super::peer::Peer;

/// Logs the request once its answer stands, or once it is dropped without one.
pub async fn layer(request: Request, next: Next) -> Response {
    let mut line = Line::of(&request);
    let response = next.run(request).await;
    line.status = Some(response.status().as_u16());
    response
}

/// Written when it is dropped: hyper drops the handler of a caller that went away.
struct Line {
    started: Instant,
    method: Method,
    path: String,
    address: Option<String>,
    status: Option<u16>,
}

impl Line {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            // The route and not what was typed: strangers do not choose what stands in the log.
            path: extensions
                .get::<MatchedPath>()
                .map_or_else(|| "(no route)".to_owned(), |path| path.as_str().to_owned()),
            address: extensions.get::<Peer>().map(|peer| peer.address.to_string()),
            status: None,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self {
            method,
            path,
            address,
            status,
            ..
        } = self;
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let address = address.as_deref();
        if let Some(status) = status {
            tracing::info!(target: "plaid_token_broker::request", %method, path, status, elapsed_ms,
                client.address = address, "request");
        } else {
            tracing::info!(target: "plaid_token_broker::request", %method, path, elapsed_ms,
                client.address = address, "request given up by its caller");
        }
    }
}
