//! Plaid Link as a standard OAuth 2.0 provider, in one binary.
//!
//! An OAuth client (Kore.ai, or any other) sends a person's browser to the authorization endpoint; the
//! "login page" there is Plaid Link. When Link succeeds the broker exchanges the public token with
//! Plaid, stores the connection sealed, and sends the browser back with a code. The token endpoint turns
//! that code into Plaid's own access token, and answers refreshes.
//!
//! The rooms, top to bottom; each knows only rooms below it:
//!
//! - [`secret`]: token and secret types whose `Debug` is silent
//! - [`clock`]: time, which enters every decision as a value

pub mod admin;
pub mod app;
pub mod assets;
pub mod audit;
pub mod cli;
pub mod config;
pub mod connections;
pub mod control;
pub mod explorer;
mod instance;
pub mod lifecycle;
pub mod limits;
pub mod link;
pub mod metrics;
pub mod middleware;
pub mod oauth;
pub mod openapi;
pub mod ops;
pub mod pages;
pub mod plaid;
pub mod record;
pub mod rehearse;
pub mod router;
pub mod setup;
pub mod telemetry;
pub mod web;

pub use plaid_simulator as simulator;
pub use plaid_token_broker_core::{clock, random, secret};
pub use plaid_token_broker_store as store;
