#![doc = include_str!("../README.md")]

pub mod clock;
pub mod random;
pub mod secret;
