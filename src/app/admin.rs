//! Who may see and change how this broker is set up: single-use links, the configured token, and the session that either
//! of them opens.
//!
//! All of it lives in memory: a restart ends the sessions, and another instance has its own. A page or call asks for
//! [`Admin`], a form for [`AdminForm`], and cannot be reached without.

mod gate;
mod link;
mod login;
mod passes;
mod session;
mod trail;

use std::time::Duration;

pub use gate::{Admin, AdminForm, Fields, PROOF_FIELD, PROOF_HEADER};
pub use link::{Link, new_link};

use crate::http::Routes;
use passes::Passes;

/// How long a single-use link may wait to be used.
pub const LINK_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts, whatever happens in it.
pub const SESSION_TTL: Duration = Duration::from_secs(8 * 3600);
/// Links that wait at once; each is some 50 bytes, and the oldest go first.
const MOST_LINKS: usize = 16;
/// Sessions at once; the oldest go first.
const MOST_SESSIONS: usize = 64;

/// The links and sessions of this process.
pub struct Admins {
    links: Passes,
    sessions: Passes,
}

impl Default for Admins {
    fn default() -> Self {
        Self {
            links: Passes::new("ptb_al", LINK_TTL, MOST_LINKS),
            sessions: Passes::new("ptb_as", SESSION_TTL, MOST_SESSIONS),
        }
    }
}

/// The login page, the addresses of links, and the way out. For people who run the broker: they stand in
/// `docs/http.md` and not in the document for programs.
pub fn routes() -> Routes {
    Routes::default()
        .get("/setup/login", login::login_page)
        .post("/setup/login", login::log_in)
        .get("/setup/login/{token}", login::follow)
        .post("/setup/logout", login::log_out)
}
