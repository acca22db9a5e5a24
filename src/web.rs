//! What all modules with pages share: routes, rendering, policies, error pages, cookies, and where a request comes from.

pub mod cookie;
mod html;
mod origin;
mod policy;
mod refusal;
mod routes;

pub use html::html;
pub use origin::{CrossSite, refuse_cross_site};
pub use policy::{form_page as form_policy, plain_page as plain_policy};
pub use refusal::{Refusal, error_page, root_from, unavailable, wants_page};
pub use routes::Routes;
