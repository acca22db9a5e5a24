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

use crate::web::Routes;

/// What is served for setting up.
pub fn routes() -> Routes {
    Routes::default()
        .get(crate::instance::PATH, instance::answer)
        .merge(connections::routes())
        .merge(rehearse::routes())
        .merge(page::routes())
}
