//! What only the inside of the `SQLite` store can show.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bounded_steps;
mod faults;
mod panics;
mod plans;

use crate::helpers::sqlite::{fresh, options};
