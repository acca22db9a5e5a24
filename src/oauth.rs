//! The OAuth 2.0 protocol: what comes in, what is decided, what goes out. Pure decisions beside the handlers.

pub mod addresses;
pub mod authorize;
pub mod client_auth;
pub mod cors;
mod endpoint;
pub mod error;
pub mod introspect;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect;
pub mod revoke;
pub mod rotation;
pub mod scope;
mod suspicions;
pub mod token;
pub mod told;
