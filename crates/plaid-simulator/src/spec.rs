//! Plaid's published words and shapes: errors, fields of requests, identifiers, products, institutions, and the answers
//! chosen where Plaid's pages are silent. It knows nothing of Items or people.

pub(crate) mod contact;
pub(crate) mod error;
pub(crate) mod fields;
pub mod guesses;
pub(crate) mod ids;
pub(crate) mod institutions;
pub(crate) mod json;
pub(crate) mod products;
pub(crate) mod redact;
pub(crate) mod redirect_list;
pub(crate) mod subtypes;
pub(crate) mod switches;

pub(crate) use self::error::PlaidError;
pub(crate) use self::guesses::Guesses;
pub(crate) use self::ids::time_text;
pub(crate) use self::institutions::Institution;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic while the lock was held leaves a state that is at worst one call behind; serving on is better than
/// failing every call after it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
