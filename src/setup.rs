//! Setting the broker up: what is checked, and the tunnels that lead to it.

pub mod checks;
pub mod connections;
pub mod instance;
mod reach;
pub mod rehearse;
pub mod tunnel;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// What is served for setting up.
pub fn router() -> Router<App> {
    // Its path is `instance::PATH`, spelt out for the test that holds the OpenAPI document against the routes.
    Router::new()
        .route("/setup/instance", get(instance::answer))
        .merge(connections::router())
        .merge(rehearse::router())
}
