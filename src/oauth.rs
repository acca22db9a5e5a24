//! The OAuth 2.0 protocol: what comes in, what is decided, what goes out. Pure decisions beside the handlers.

pub mod authorize;
pub mod client_auth;
pub mod error;
pub mod params;
pub mod pkce;
pub mod redirect;
pub mod rotation;
pub mod scope;
pub mod token;
