//! For administrators: the set-up page with checks, rehearsal and recent requests, the connections, and the login.

mod callbacks;
mod connections;
mod findings;
mod identity_challenge;
mod live;
mod login;
mod page;
mod profile;
mod rehearse;

use crate::app::Routes;

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
        .get("/setup/record", live::record)
        .get("/setup/checks", findings::check)
}
