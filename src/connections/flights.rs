//! One exchange per public token at a time, and none twice: the gate that everybody with the same token waits at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::plaid::Exchanged;
use crate::store::model::{PublicTokenHash, TransactionId};

/// Who brings a public token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Transaction(TransactionId),
    Client(String),
}

/// What Plaid gave and the store did not take (a full disk): kept so that a repeat does not need the burnt token.
pub(super) struct Unstored {
    pub(super) owner: Owner,
    pub(super) exchanged: Exchanged,
}

/// Behind the gate: empty, but for an exchange that could not be stored.
pub(super) type Gate = tokio::sync::Mutex<Option<Unstored>>;

/// The gates by the public token's hash. One is there only while somebody is at it or something is kept behind it.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<PublicTokenHash, Arc<Gate>>>);

/// More exchanges that could not be stored than a broken disk should pile up; beyond, the oldest gates go.
const MAX_GATES: usize = 10_000;

impl Flights {
    /// The gate of this token.
    pub(super) fn gate(&self, hash: PublicTokenHash) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MAX_GATES {
            // Nobody waits at a gate that only this map holds.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        Arc::clone(gates.entry(hash).or_default())
    }

    /// Called after the gate was left: forgets it when nobody is at it and nothing is behind it.
    pub(super) fn leave(&self, hash: PublicTokenHash, gate: Arc<Gate>) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(gate);
        let unused = gates.get(&hash).is_some_and(|gate| {
            Arc::strong_count(gate) == 1 && gate.try_lock().is_ok_and(|kept| kept.is_none())
        });
        if unused {
            gates.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_shared_while_somebody_is_at_it_and_forgotten_after() {
        let flights = Flights::default();
        let hash = PublicTokenHash([1; 32]);
        let first = flights.gate(hash);
        let second = flights.gate(hash);
        assert!(Arc::ptr_eq(&first, &second));
        flights.leave(hash, first);
        assert_eq!(flights.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
        flights.leave(hash, second);
        assert_eq!(flights.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 0);
    }
}
