//! `/setup/connections`: lists connections and ends them. Works without scripts.

mod list;
mod revoke;

use crate::app::App;
use crate::app::Routes;

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/setup/connections", list::page)
        .get("/setup/connections/revoke", revoke::ask)
        .post("/setup/connections/revoke", revoke::revoke)
}

fn client_name(app: &App, id: &str) -> String {
    let clients = app.clients();
    let name = clients.find(id).and_then(|client| client.name.clone());
    name.unwrap_or_else(|| id.to_owned())
}
