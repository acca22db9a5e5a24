//! What finds out whether the broker works: checks, tunnels, the rehearsal of a whole login, and the challenge by which a
//! broker recognizes itself behind an address.

pub mod checks;
pub mod identity_challenge;
mod probe;
pub mod rehearsal;
pub mod tunnel;
