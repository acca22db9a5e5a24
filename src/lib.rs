//! Plaid Link as a standard OAuth 2.0 provider, in one binary.
//!
//! An OAuth client (Kore.ai, or any other) sends a person's browser to the authorization endpoint; the
//! "login page" there is Plaid Link. When Link succeeds the broker exchanges the public token with
//! Plaid, stores the connection sealed, and sends the browser back with a code. The token endpoint turns
//! that code into Plaid's own access token, and answers refreshes.
//!
//! The modules, top to bottom; a module uses only modules below it:
//!
//! - [`cli`] - the commands: parse, call, print, exit codes
//! - [`server`] - build, bind, serve, drain; the router; health, metrics and the operators' control socket
//! - [`console`] - the setup page, connections, the administrators' sign-in
//! - [`request_log`] - what clients sent and why it failed
//! - [`explorer`] - where the browser login flow ends
//! - [`link`] - the authorization endpoint, the Link page and its calls, the return from a bank
//! - [`doctor`] - checks, tunnels, rehearsal, the identity challenge
//! - [`oauth`] - token, refresh, revocation, introspection, metadata; client authentication
//! - [`app`] - the shared state: clients, administrators' sessions
//! - [`plaid`] - Plaid's API; exchange, health and removal of connections
//! - [`http`] - middleware, limits, cookies, pages, assets, errors
//! - [`telemetry`] - logs, metrics, traces, audit notes
//! - [`config`] - settings

#![expect(
    missing_docs,
    reason = "the broker is a program: its names explain themselves"
)]

pub mod app;
pub mod cli;
pub mod config;
pub mod console;
pub mod doctor;
pub mod explorer;
pub mod http;
pub mod link;
pub mod oauth;
pub mod plaid;
pub mod request_log;
pub mod server;
pub mod telemetry;

pub use plaid_simulator as simulator;
pub use plaid_token_broker_core::{clock, random, secret};
pub use plaid_token_broker_store as store;
