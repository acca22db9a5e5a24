//! The store: one method per domain decision, with owned input, `now` as a value and a typed outcome.
//!
//! There is no begin or commit across this edge, and no closure: each decision is one transaction inside,
//! and its answer is given only after the commit was synced to disk.

pub mod model;
