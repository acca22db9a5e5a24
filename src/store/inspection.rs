//! Looking at a store from outside, for checks: nothing is changed, made or locked, and a broker may have it open.

use super::model::AllowedRedirectUri;
use super::seal::SealError;
use super::tokens::TokenKey;

/// What a store told that was looked at.
#[derive(Debug)]
pub struct Inspection {
    /// Makes the tokens of this store.
    pub tokens: TokenKey,
    /// The callbacks that administrators allowed.
    pub allowed: Vec<AllowedRedirectUri>,
    /// How many sealed rows were tried.
    pub rows: u64,
    /// How many of them do not open.
    pub unopened: u64,
    /// Why the first of those does not.
    pub reason: Option<SealError>,
    /// Whether all rows were tried; else time ran out.
    pub whole: bool,
}
