//! Finds out whether the broker works: checks, tunnels, the rehearsal of a whole login, and the challenge by which a
//! broker recognizes itself behind an address. Checks and rehearsal report [`Finding`]s.

pub mod checks;
mod finding;
pub mod identity_challenge;
mod probe;
pub mod rehearsal;
mod reporter;
mod running;
pub mod tunnel;

pub use finding::{Check, Finding, Report, Status, Verdict};
pub(crate) use probe::connectable;
pub use running::{Description, Running};
