//! Setting the broker up: the page with its values, what is checked, the tunnels that lead to it, and what clients sent.

mod callbacks;
pub mod checks;
pub mod connections;
mod instance;
mod live;
mod page;
mod profile;
mod reach;
pub mod rehearse;
pub mod tunnel;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// What is served for setting up.
pub fn router() -> Router<App> {
    // Its path is `crate::instance::PATH`, spelt out for the test that holds the OpenAPI document against the routes.
    Router::new()
        .route("/setup/instance", get(instance::answer))
        .merge(connections::router())
        .merge(rehearse::router())
        .merge(page::router())
}
