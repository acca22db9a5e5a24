//! Setting the broker up: the page with its values, what is checked, the tunnels that lead to it, and what clients sent.

mod callbacks;
pub mod checks;
mod live;
mod page;
mod profile;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The set-up page and its calls, for admins alone. They stand in `docs/http.md` and not in the document for programs.
pub fn router() -> Router<App> {
    Router::new()
        .route("/setup", get(page::page))
        .route("/setup/profile.md", get(page::markdown))
        .route("/setup/record", get(live::record))
        .route("/setup/checks", get(live::findings))
        .route("/setup/callbacks", post(page::change_callback))
}
