//! Counting reads every row, so a count of many is returned again for a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::Counts;

/// A count is returned again for a hundred times as long as it took: counting never takes more than a hundredth of a core.
const PAUSE_FACTOR: u32 = 100;
/// So few connections and authorizations are counted anew each time.
const FEW: u64 = 20_000;

/// The last count.
#[derive(Debug, Default)]
pub(super) struct CountCache(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    counts: Counts,
    took: Duration,
    at: Instant,
}

impl CountCache {
    /// What was counted lately, when counting takes its time.
    pub(super) fn recent(&self) -> Option<Counts> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref()?;
        let holds = rows(&last.counts) > FEW && last.at.elapsed() < last.took.saturating_mul(PAUSE_FACTOR);
        holds.then(|| last.counts.clone())
    }

    /// Remembers what was counted since `began`.
    pub(super) fn store(&self, counts: &Counts, began: Instant) {
        let last = Last {
            counts: counts.clone(),
            took: began.elapsed(),
            at: Instant::now(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

fn rows(counts: &Counts) -> u64 {
    let authorizations: u64 = counts.authorizations.values().sum();
    counts.live() + counts.ending + counts.removed + authorizations
}
