#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

pub mod conf;
mod error;
mod http;
pub mod paths;
mod rest;
mod rpc;
mod secret;
mod text;
mod token;
mod yaml;

pub use error::{Error, Kind};
pub use http::{Cause, TransportError};
pub use rest::RestRequest;
pub use rpc::{Call, Client, HttpMethod, Options, Params, Prepared, RequestError, SaveError, ServerError};
pub use secret::Secret;
pub use token::{Claims, Clock, Token, TokenError, TokenSource};
