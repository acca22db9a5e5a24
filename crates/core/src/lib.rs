#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! From top to bottom; a module uses only modules below it:
//!
//! - [`random`] - random ids and nonces
//! - [`secret`] - tokens and secrets whose `Debug` prints nothing
//! - [`clock`] - time as a value

pub mod clock;
pub mod random;
pub mod secret;
