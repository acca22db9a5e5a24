//! How a command on the same machine, or in the same container, operates the running broker: over a Unix socket that
//! only the broker's own user (and root) can open.
//!
//! A command is a [`Request`], and [`execute`] carries it out, both for the running broker and for a command that opens
//! the store itself because no broker runs. To add one: a variant of [`Request`], one of [`Answer`] if none fits, and an
//! arm in [`execute`].
//!
//! On the socket, the command writes one line of JSON (a [`Call`]), and the broker answers with [`Line`]s. The file
//! system decides who may call: a user who can open the socket can also read the key file and the store.

mod client;
mod context;
mod execute;
#[cfg(unix)]
mod listener;
mod message;
mod operations;

pub use client::{AskError, Remote};
pub use context::{Context, Sink};
pub use execute::execute;
#[cfg(unix)]
pub use listener::{ListenError, Listener};
pub use message::{Answer, Call, Line, Progress, Request, Revealed};
