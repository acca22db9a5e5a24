//! A thin, typed client of Plaid's API: the few calls that a token broker needs.
//!
//! Source of all facts: <https://plaid.com/docs/api/>. Every call is a POST of JSON; keys travel in headers, so
//! that no request body of ours holds the Plaid secret; `Plaid-Version` is always sent.

mod client;
pub mod connections;
mod error;
mod institutions;
mod products;
mod types;

pub use client::{ClientError, PlaidClient, PlaidOptions, Timeouts};
pub use error::{ApiError, PlaidError, Verdict};
pub use products::{LinkProducts, fits, is_offered, narrow};
pub use types::{
    Account, Exchanged, Item, ItemAnswer, LinkTokenCreated, LinkTokenRequest, LinkTokenUser, StatementsRange,
};
