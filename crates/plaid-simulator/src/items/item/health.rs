//! When an Item's bank was last asked for news, with and without success.

use std::time::Duration;

use super::{Item, LOGIN_LIFETIME, Stage};
use crate::data::sync;
use plaid_token_broker_core::clock::Timestamp;

/// When banks are asked.
pub(crate) struct Updates {
    /// The first pull is this long after the exchange, and the history three times as long.
    pub(crate) delay: Duration,
    /// Each hour instead of once a day.
    pub(crate) hourly: bool,
}

impl Item {
    /// Since when the login does not work, if it does not.
    pub(super) fn broken_since(&self, now: Timestamp) -> Option<Timestamp> {
        let lapsed = self.logged_in_at.plus(LOGIN_LIFETIME);
        let ended = self.consent_ends.map_or(lapsed, |ends| ends.min(lapsed));
        match self.stage {
            Stage::Linked => (now >= ended).then_some(ended),
            Stage::LoginRequired | Stage::Revoked => Some(self.broke_at.map_or(ended, |at| at.min(ended))),
            Stage::Removed => None,
        }
    }

    /// The last pull that worked.
    pub(super) fn last_success(&self, updates: &Updates, now: Timestamp) -> Option<Timestamp> {
        let until = self.broken_since(now).unwrap_or(now);
        let first = self.created_at.plus(updates.delay);
        let history = self.created_at.plus(updates.delay * 3);
        // A new login is followed by a pull.
        let again = (self.logged_in_at > self.created_at).then_some(self.logged_in_at);
        let regular = Some(self.regular(updates, until)).filter(|at| *at > history);
        [Some(first), Some(history), again, regular]
            .into_iter()
            .flatten()
            .filter(|at| *at <= until)
            .max()
    }

    /// The last pull that failed.
    pub(super) fn last_failure(&self, updates: &Updates, now: Timestamp) -> Option<Timestamp> {
        let failed = |(since, until): (Timestamp, Timestamp)| {
            Some(self.regular(updates, until)).filter(|at| *at >= since)
        };
        let outage = self.broken_since(now).map(|since| (since, now));
        outage
            .and_then(failed)
            .or_else(|| self.last_outage.and_then(failed))
    }

    /// The last time, up to a moment, at which the bank is asked as a rule.
    fn regular(&self, updates: &Updates, until: Timestamp) -> Timestamp {
        let hour = sync::bank_hour(&self.draft.source.person, updates.hourly, until);
        Timestamp::from_millis(hour * 60 * 60 * 1000)
    }
}
