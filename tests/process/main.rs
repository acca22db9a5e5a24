//! The real program in a directory of its own: what it prints, refuses, keeps and finishes. Its environment is empty
//! but for what a test gives it, and it is spoken to over real sockets.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and print what the program said"
)]
#![expect(unreachable_pub, reason = "one test binary, whose modules share")]

mod admin;
mod check;
mod check_address;
mod check_here;
mod check_plaid;
mod clients;
mod durability;
mod examples;
mod files;
mod flow;
mod footprint;
mod harness;
mod injection;
mod leaks;
mod lifecycle;
mod logging;
mod oauth2_crate;
mod operate;
mod postgres;
mod rehearse;
mod settings;
mod stand_in;
#[cfg(feature = "otel")]
mod traces;
mod tunnels;
mod web;
