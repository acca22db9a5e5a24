//! HTTP apart from what an endpoint does: middleware, limits, routes, pages and their policies, error pages, cookies,
//! static files.

pub mod assets;
pub mod body;
pub mod client_ip;
pub mod cookie;
pub mod drain_body;
pub mod headers;
mod html;
pub mod limits;
mod origin;
pub mod pages;
mod policy;
mod refusal;
pub mod request_id;
pub mod request_line;
mod routes;
pub mod timeout;

pub use html::html;
pub use origin::{CrossSite, refuse_cross_site};
pub use policy::{form_page as form_policy, plain_page as plain_policy};
pub use refusal::{Refusal, error_page, root_from, wants_page};
pub use routes::Routes;
