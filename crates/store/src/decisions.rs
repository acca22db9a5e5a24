//! The store's decisions and look-ups: for each a method of [`Store`](crate::Store), its input, and what it does in either
//! engine.

mod audit;
mod authorizations;
mod connections;
mod counts;
mod grants;
pub(crate) mod listing;
pub(crate) mod meta;
pub(crate) mod redirects;
pub(crate) mod removals;
pub(crate) mod reseal;
mod token_index;
