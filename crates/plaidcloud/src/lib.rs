#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! From top to bottom; a module uses only modules below it:
//!
//! - `client` - one connection: calls, downloads, REST, with one token
//! - `error` - one error for callers that only report it
//! - `answer` - what a response means
//! - `request` - what is sent
//! - `token` - OAuth tokens: grants and the cache
//! - `http` - the HTTP client, what goes wrong below HTTP, when to retry
//! - `paths` - `paths.yaml`
//! - `conf` - `plaid.conf`
//! - `text` - text of the server, printable
//! - `yaml` - YAML as nodes
//! - `secret` - secrets whose `Debug` prints nothing
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

mod answer;
mod client;
pub mod conf;
mod error;
mod http;
pub mod paths;
mod request;
mod secret;
mod text;
mod token;
mod yaml;

pub use answer::ServerError;
pub use client::{Client, Options};
pub use error::{Error, Kind, SaveError};
pub use http::{Cause, TransportError};
pub use request::{Call, HttpMethod, Params, Prepared, RequestError, RestRequest};
pub use secret::Secret;
pub use token::{Claims, Clock, Token, TokenError, TokenSource};
