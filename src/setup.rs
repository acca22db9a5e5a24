//! Setting the broker up: what is checked, and the tunnels that lead to it.

pub mod checks;
