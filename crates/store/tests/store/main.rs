//! The store through its public interface: one contract for both engines, and what is particular to each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod contract;
mod helpers;
#[cfg(unix)]
mod postgres;
mod sqlite;
mod upgrade;
