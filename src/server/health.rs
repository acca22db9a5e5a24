//! What operators and orchestrators ask, on an address of its own: is it alive, is it ready, what does it measure?

mod metrics;
mod ready;

use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use ready::Readiness;

/// `/livez`, `/readyz` and `/metrics`. Once `draining` is cancelled it is not ready any more.
pub(super) fn router(app: App, draining: CancellationToken) -> Router {
    let readiness = Readiness::new(app.clone(), draining);
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(ready::readyz).with_state(readiness))
        .route("/metrics", get(metrics::metrics).with_state(app))
}

async fn livez() -> &'static str {
    "ok\n"
}
