//! How a command on the same machine (or in the same container) operates the running broker: `POST /control` on the
//! operations address.
//!
//! A command is a [`Request`], and [`execute`] is what does it, for the running broker and for a command that opens the
//! store itself because no broker runs. To add one: a variant of [`Request`], one of [`Answer`] if none fits, and an arm
//! in [`execute`].
//!
//! Whoever can read the sealing keys can operate; others on this machine reach the address and get nothing done: each
//! request carries a [`proof`] that only the keys can make, fresh and good once, and each line of the answer one of the
//! broker's own, so that nobody can answer in its stead.

mod client;
mod execute;
mod message;
mod operations;
mod proof;
mod route;

pub use client::{AskError, Remote};
pub use execute::{Context, Sink, execute};
pub use message::{Answer, Description, Line, Progress, Request, Revealed};
pub use proof::{Keys, PROOF_TTL, Proof, Refused, Seen, account_text};
pub use route::router;
