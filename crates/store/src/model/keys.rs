//! The results of key rotation and of a report on the keys.

use serde::{Deserialize, Serialize};

use super::ConnectionId;

/// A key, by its id, and what it seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    pub id: String,
    /// Whether it is among the keys that were given.
    pub given: bool,
    /// Whether it is the first one, which seals what is new.
    pub seals: bool,
    /// How many sealed values it opens; the store's own token key is one of them.
    pub values: u64,
}

/// The keys and what they open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysReport {
    /// The given keys in their order, then those that are missing.
    pub keys: Vec<KeyUse>,
    /// How many sealed values no given key opens.
    pub unopened: u64,
}

impl KeysReport {
    /// The given keys that seal nothing any more and will not: they can be left out, except for older backups.
    #[must_use]
    pub fn idle(&self) -> Vec<&str> {
        let idle = self
            .keys
            .iter()
            .filter(|key| key.given && !key.seals && key.values == 0);
        idle.map(|key| key.id.as_str()).collect()
    }
}

/// Outcome of one step of `reseal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResealStep {
    /// Values that were looked at.
    pub examined: u64,
    /// Of them, those that are sealed with the first key now and were not before.
    pub resealed: u64,
    /// Of them, those that no given key opens; they stay as they are.
    pub unopened: u64,
    /// Where the next step begins; `None`: nothing is left.
    pub next: Option<ConnectionId>,
}
