#![doc = include_str!("../README.md")]
//!
//! # Layout
//!
//! From top to bottom; a module uses only modules below it.
//!
//! - [`command`]: the command line
//! - [`server`]: sockets, and the router over all paths
//! - [`controls`]: `/_simulator/` over HTTP, and the same for tests in Rust
//! - [`background`]: webhooks on their way, logins that lapse, banks that have news
//! - [`link`]: Link's script, pages and calls
//! - [`api`]: Plaid's endpoints
//! - [`simulator`]: the state that all of these share
//! - [`items`]: what is remembered: Items, tokens, runs of Link, reports, transfers, payments
//! - [`webhooks`]: what webhooks say, the keys that sign them, and those that wait
//! - [`calls`]: ordered faults, the record of calls, rate limits
//! - [`data`]: people and their money, made from a seed
//! - [`spec`]: Plaid's errors, fields, identifiers, products and institutions

#![expect(
    rustdoc::private_intra_doc_links,
    reason = "the layout is for those who work on the crate"
)]

mod api;
mod background;
mod calls;
pub mod command;
mod controls;
mod data;
mod items;
mod link;
pub mod server;
mod simulator;
mod spec;
mod webhooks;

pub use self::calls::faults::{Fault, FaultRefused, WaitingFault};
pub use self::calls::recorder::{RecordedHeaders, RecordedRequest};
pub use self::controls::snapshot::SnapshotError;
pub use self::controls::test_api::{LinkSuccess, NoSuchItem};
pub use self::items::ItemView;
pub use self::server::{RunningSimulator, serve};
pub use self::simulator::clock::TooFarAhead;
pub use self::simulator::{CLIENT_ID, Options, SECRET, Simulator};
pub use self::spec::guesses::{self, Guesses};
pub use self::spec::products::is_known as is_product;
pub use self::spec::switches::{LinkOptions, PublicTokenReuse, Switches};
pub use self::webhooks::{WebhookState, WebhookView};
