//! One log line per request, which is counted too: method, route and status; never the query string, which holds codes
//! and state. A request whose caller hangs up has its line too.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};

use super::client_ip::Peer;
use crate::telemetry::metrics::{HttpMetrics, UnderWay};

const NO_ROUTE: &str = "(no route)";

/// Logs and counts the request once it has a response, or once it is dropped without one.
pub async fn layer(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
    let mut line = Line::of(&request, &metrics);
    let response = next.run(request).await;
    line.status = Some(response.status());
    response
}

/// Written when it is dropped: hyper drops the handler of a caller that went away.
struct Line {
    started: Instant,
    method: Method,
    route: String,
    address: Option<String>,
    status: Option<StatusCode>,
    metrics: HttpMetrics,
    _under_way: UnderWay,
}

impl Line {
    fn of(request: &Request, metrics: &HttpMetrics) -> Self {
        let extensions = request.extensions();
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            route: route(extensions.get::<MatchedPath>()),
            address: extensions.get::<Peer>().map(|peer| peer.address.to_string()),
            status: None,
            metrics: metrics.clone(),
            _under_way: metrics.begun(),
        }
    }

    fn log(&self, elapsed: Duration) {
        let Self {
            method,
            route,
            address,
            status,
            ..
        } = self;
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let address = address.as_deref();
        // The first field has no dot: with a target the macro does not take one there.
        if let Some(status) = status {
            let status = status.as_u16();
            tracing::info!(target: "plaid_token_broker::request", elapsed_ms, http.method = %method, http.route = route,
                http.status = status, client.address = address, "request");
        } else {
            tracing::info!(target: "plaid_token_broker::request", elapsed_ms, http.method = %method, http.route = route,
                client.address = address, "request cancelled by the client");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        self.log(elapsed);
        self.metrics
            .ended(&self.route, &self.method, self.status, elapsed);
    }
}

/// The route and not the requested path: clients must not choose what is logged, nor the number of metric series.
fn route(matched: Option<&MatchedPath>) -> String {
    matched.map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned())
}
