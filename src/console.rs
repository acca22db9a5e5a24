//! Setting the broker up: the page with its values, what is checked, the tunnels that lead to it, and what clients sent.

mod callbacks;
pub mod connections;
mod identity_challenge;
mod live;
mod login;
mod page;
mod profile;
pub mod rehearse;

use crate::app::Routes;

/// What is served for setting up.
pub fn routes() -> Routes {
    Routes::default()
        .get(
            crate::doctor::identity_challenge::PATH,
            identity_challenge::answer,
        )
        .merge(login::routes())
        .merge(connections::routes())
        .merge(rehearse::routes())
        .merge(page::routes())
}
