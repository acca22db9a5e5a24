//! The simulator's clock: the clock it was started with, and how far it was moved ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use plaid_token_broker_core::clock::{SharedClock, Timestamp};

/// The longest lead: the dates that a simulator makes stay dates that everybody can read.
const LONGEST_LEAD: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The clock would run too far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock cannot run more than 100 years (3,153,600,000 seconds) ahead of the real one in all: move it less, or \
     start the simulator anew"
)]
pub struct TooFarAhead;

/// A clock with a lead. It never goes back: tokens that have expired stay expired.
pub(crate) struct AdjustableClock {
    given: SharedClock,
    lead: AtomicI64,
}

impl AdjustableClock {
    pub(crate) fn over(given: SharedClock) -> Self {
        Self {
            given,
            lead: AtomicI64::new(0),
        }
    }

    /// The time that tokens, Items and data live by.
    pub(crate) fn now(&self) -> Timestamp {
        self.given.now().plus(self.lead())
    }

    /// The given clock's own time: what a receiver of a webhook sees on its wall.
    pub(crate) fn wall(&self) -> Timestamp {
        self.given.now()
    }

    pub(crate) fn lead(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.lead.load(Ordering::SeqCst)).unwrap_or(0))
    }

    /// It stays where it is when `by` is too much.
    pub(crate) fn advance(&self, by: Duration) -> Result<(), TooFarAhead> {
        let moved = self
            .lead
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |lead| {
                let lead = Duration::from_millis(u64::try_from(lead).unwrap_or(0)).checked_add(by)?;
                (lead <= LONGEST_LEAD)
                    .then(|| i64::try_from(lead.as_millis()).ok())
                    .flatten()
            });
        moved.map(|_| ()).map_err(|_| TooFarAhead)
    }

    pub(crate) fn set_lead(&self, lead: Duration) {
        let millis = i64::try_from(lead.min(LONGEST_LEAD).as_millis()).unwrap_or(0);
        self.lead.store(millis, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use plaid_token_broker_core::clock::ManualClock;

    #[test]
    fn the_lead_adds_up_and_has_an_end() {
        let clock = AdjustableClock::over(Arc::new(ManualClock::at(Timestamp::from_millis(5))));
        assert_eq!(clock.advance(Duration::from_millis(10)), Ok(()));
        assert_eq!(clock.advance(Duration::from_millis(20)), Ok(()));
        assert_eq!(clock.now(), Timestamp::from_millis(35));
        assert_eq!(clock.wall(), Timestamp::from_millis(5));
        for too_much in [Duration::MAX, LONGEST_LEAD] {
            assert_eq!(clock.advance(too_much), Err(TooFarAhead));
        }
        assert_eq!(clock.lead(), Duration::from_millis(30));
    }
}
