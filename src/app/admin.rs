//! Who may see and change how this broker is set up: single-use links, the configured token, and the session that either
//! of them opens.
//!
//! All of it lives in memory: a restart ends the sessions, and another instance has its own. A page or call asks for
//! [`Admin`], a form for [`AdminForm`], and cannot be reached without.

pub(crate) mod audit_context;
mod extractors;
mod link;
mod next;
mod one_time_tokens;
pub(crate) mod session;

use std::time::Duration;

pub use extractors::{Admin, AdminForm, Fields, PROOF_FIELD, PROOF_HEADER};
pub(crate) use extractors::{Rejected, is_form};
pub use link::{Link, new_link};

pub(crate) use next::Next;
use one_time_tokens::OneTimeTokens;

pub const LINK_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts, whatever happens in it.
pub const SESSION_TTL: Duration = Duration::from_secs(8 * 3600);
/// Links that wait at once; each is some 50 bytes, and the oldest go first.
const MOST_LINKS: usize = 16;
const MOST_SESSIONS: usize = 64;

pub struct Admins {
    pub(crate) links: OneTimeTokens,
    pub(crate) sessions: OneTimeTokens,
}

impl Default for Admins {
    fn default() -> Self {
        Self {
            links: OneTimeTokens::new("ptb_al", LINK_TTL, MOST_LINKS),
            sessions: OneTimeTokens::new("ptb_as", SESSION_TTL, MOST_SESSIONS),
        }
    }
}
