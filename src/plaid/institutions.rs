//! How many institutions there are, remembered for a while: Plaid allows ten of these calls a minute in the Sandbox, over
//! all that has these keys (<https://plaid.com/docs/errors/rate-limit-exceeded/>), and the numbers change slowly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const REUSED: Duration = Duration::from_secs(10 * 60);

type Question = (Vec<String>, Vec<String>);

#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Arc<Mutex<BTreeMap<Question, (Instant, u64)>>>);

impl Counts {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Question, (Instant, u64)>> {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What Plaid said not longer ago than a count is good.
    pub(super) fn lately(&self, countries: &[String], products: &[String]) -> Option<u64> {
        let mut known = self.known();
        known.retain(|_, (at, _)| at.elapsed() < REUSED);
        known
            .get(&(countries.to_vec(), products.to_vec()))
            .map(|(_, count)| *count)
    }

    pub(super) fn remember(&self, countries: &[String], products: &[String], count: u64) {
        let question = (countries.to_vec(), products.to_vec());
        self.known().insert(question, (Instant::now(), count));
    }
}
