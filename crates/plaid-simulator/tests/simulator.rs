//! The simulator over real sockets, called as Plaid is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "simulator/link_support.rs"]
mod link_support;
#[path = "simulator/support.rs"]
mod support;

#[path = "simulator/assets.rs"]
mod assets;
#[path = "simulator/background_events.rs"]
mod background_events;
#[path = "simulator/controls.rs"]
mod controls;
#[path = "simulator/custom.rs"]
mod custom;
#[path = "simulator/data.rs"]
mod data;
#[path = "simulator/deposits.rs"]
mod deposits;
#[path = "simulator/deposits_manual.rs"]
mod deposits_manual;
#[path = "simulator/duplicates.rs"]
mod duplicates;
#[path = "simulator/faults.rs"]
mod faults;
#[path = "simulator/guesses.rs"]
mod guesses;
#[path = "simulator/guesses_deposits.rs"]
mod guesses_deposits;
#[path = "simulator/guesses_items.rs"]
mod guesses_items;
#[path = "simulator/guesses_limits.rs"]
mod guesses_limits;
#[path = "simulator/guesses_link.rs"]
mod guesses_link;
#[path = "simulator/guesses_requests.rs"]
mod guesses_requests;
#[path = "simulator/health.rs"]
mod health;
#[path = "simulator/institutions.rs"]
mod institutions;
#[path = "simulator/keys.rs"]
mod keys;
#[path = "simulator/lifecycle.rs"]
mod lifecycle;
#[path = "simulator/link.rs"]
mod link;
#[path = "simulator/link_bank.rs"]
mod link_bank;
#[path = "simulator/link_hosted.rs"]
mod link_hosted;
#[path = "simulator/link_rules.rs"]
mod link_rules;
#[path = "simulator/link_update.rs"]
mod link_update;
#[path = "simulator/money.rs"]
mod money;
#[path = "simulator/payments.rs"]
mod payments;
#[path = "simulator/receiver.rs"]
mod receiver;
#[path = "simulator/recorder.rs"]
mod recorder;
#[path = "simulator/sandbox.rs"]
mod sandbox;
#[path = "simulator/server.rs"]
mod server;
#[path = "simulator/snapshots.rs"]
mod snapshots;
#[path = "simulator/sync.rs"]
mod sync;
#[path = "simulator/transfers.rs"]
mod transfers;
#[path = "simulator/validation.rs"]
mod validation;
#[path = "simulator/webhooks.rs"]
mod webhooks;
