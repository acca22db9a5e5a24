#![doc = include_str!("../README.md")]

pub mod conf;
pub mod paths;
mod secret;
mod yaml;

pub use secret::Secret;
