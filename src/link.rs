//! The authorization endpoint and the Link page: an authorization is opened, Link runs, the connection is made, and the
//! browser is sent on.

mod api_error;
mod authorization;
mod cancel;
mod complete;
mod cookies;
mod link_token;
mod page;
mod policy;
mod refusal;
mod session;

pub use api_error::PageCallError;
pub use cancel::link_exit;
pub use complete::set_access_token;
pub use link_token::create_link_token;
pub use page::{Asked, about, authorize, explorer_is_open, link_return, root};
pub use session::{SESSION_TTL, Session, info};
