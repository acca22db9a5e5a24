//! `/setup/connections`: which connections there are, how they stand, and how to end them. Works without scripts.

mod list;
mod revoke;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The list, and the step between it and an end.
pub fn router() -> Router<App> {
    Router::new()
        .route("/setup/connections", get(list::page))
        .route("/setup/connections/revoke", get(revoke::ask).post(revoke::revoke))
}

/// What a client is called on these pages.
fn client_name(app: &App, id: &str) -> String {
    let clients = app.clients();
    let name = clients.find(id).and_then(|client| client.name.clone());
    name.unwrap_or_else(|| id.to_owned())
}
