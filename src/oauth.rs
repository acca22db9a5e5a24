//! The OAuth 2.0 protocol: what comes in, what is decided, what goes out. Pure decisions beside the handlers.

pub mod authorize;
pub mod client_auth;
pub mod cors;
mod endpoint;
pub mod error;
pub mod facts;
pub mod findings;
pub mod introspect;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect;
pub mod revoke;
pub mod rotation;
pub mod scope;
pub mod token;
