//! The broker over real sockets, with its simulator: what a client, a browser and an attacker see; and
//! its settings.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
#![expect(unreachable_pub, reason = "one test binary, whose modules share")]

mod admin;
mod attacks;
mod audit;
mod authorize;
mod bad_days;
mod binding;
mod checks;
mod client_auth;
mod clients;
mod code;
mod config;
mod connections;
mod consent;
#[cfg(unix)]
mod control;
mod cors;
mod documents;
mod flow;
mod grants;
mod harness;
mod metrics;
mod openapi;
mod operations;
mod page_calls;
mod pages;
mod products;
mod raw_public_token;
mod record;
mod refresh;
mod rehearse;
mod removal;
mod removed_callbacks;
mod rotation;
mod scope;
mod sealed_request;
mod security_events;
mod setup;
mod token;
mod visitor;
