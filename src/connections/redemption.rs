//! Redeeming a code whose client may not hear of it: the answer was "try again", or the client hung up, and the commit may
//! still happen. The grant is remembered for a minute, so that the client's repeat redeems with the same one and wins.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Connections;
use crate::audit::Origin;
use crate::clock::{SharedClock, Timestamp};
use crate::store::StoreError;
use crate::store::model::{NewGrant, RedeemOutcome, Redemption, TransactionId};

/// How long a grant is remembered.
const REMEMBER: Duration = Duration::from_secs(60);
/// Grants that are remembered at once. Only a store that fails, or clients that hang up, make any.
const MOST: usize = 10_000;

/// The grants of redemptions whose outcome their clients do not know.
#[derive(Default)]
pub(super) struct Unconfirmed(Mutex<HashMap<TransactionId, (NewGrant, Timestamp)>>);

impl Unconfirmed {
    fn grants(&self) -> MutexGuard<'_, HashMap<TransactionId, (NewGrant, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a redemption: with the grant that is remembered for this code, else with this one. The remembered grant is
    /// taken out, so that of several repeats at once only one has it.
    fn begin<'a>(&'a self, mut redemption: Redemption, clock: &'a SharedClock) -> Attempt<'a> {
        if let Some((grant, at)) = self.grants().remove(&redemption.transaction_id)
            && clock.now().since(at) < REMEMBER
        {
            redemption.grant = grant;
        }
        Attempt {
            unconfirmed: self,
            clock,
            redemption,
            is_settled: false,
        }
    }

    fn remember(&self, code: TransactionId, grant: NewGrant, now: Timestamp) {
        let mut grants = self.grants();
        if grants.len() >= MOST {
            grants.retain(|_, (_, at)| now.since(*at) < REMEMBER);
        }
        if grants.len() < MOST {
            grants.insert(code, (grant, now));
        }
    }
}

/// A redemption under way. Dropped before it is settled, its grant is remembered.
struct Attempt<'a> {
    unconfirmed: &'a Unconfirmed,
    clock: &'a SharedClock,
    redemption: Redemption,
    is_settled: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            let Redemption {
                transaction_id,
                grant,
            } = self.redemption.clone();
            self.unconfirmed.remember(transaction_id, grant, self.clock.now());
        }
    }
}

impl Connections {
    /// Redeems a code. Returns the grant that was used as well: after an attempt whose outcome the client does not know
    /// it is that attempt's.
    pub async fn redeem(
        &self,
        redemption: Redemption,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(NewGrant, RedeemOutcome), StoreError> {
        let inner = &self.0;
        let mut attempt = inner.redemptions.begin(redemption, &inner.clock);
        let redemption = attempt.redemption.clone();
        let outcome = inner.store.by(origin).redeem(redemption, now).await;
        // These are answered with "try again".
        attempt.is_settled = !matches!(outcome, Err(StoreError::Unavailable(_) | StoreError::Full));
        Ok((attempt.redemption.grant.clone(), outcome?))
    }

    /// The number of redemptions whose outcome their clients do not know.
    #[must_use]
    pub fn unconfirmed_redemptions(&self) -> usize {
        self.0.redemptions.grants().len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::clock::ManualClock;
    use crate::store::model::GrantId;

    const CODE: TransactionId = TransactionId(Uuid::from_u128(1));

    fn with_grant(code: TransactionId, id: u128) -> Redemption {
        let grant = NewGrant {
            id: GrantId(Uuid::from_u128(id)),
            nonce: crate::random::nonce(),
            client_id: "kore".to_owned(),
            scope: Vec::new(),
        };
        Redemption {
            transaction_id: code,
            grant,
        }
    }

    fn clocks() -> (Arc<ManualClock>, SharedClock) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
        (Arc::clone(&clock), clock)
    }

    #[test]
    fn a_repeat_has_the_same_grant_for_a_minute() {
        let (manual, clock) = clocks();
        let unconfirmed = Unconfirmed::default();
        let first = with_grant(CODE, 1);
        drop(unconfirmed.begin(first.clone(), &clock));
        manual.advance(REMEMBER.saturating_sub(Duration::from_millis(1)));
        let again = unconfirmed.begin(with_grant(CODE, 2), &clock);
        assert_eq!(again.redemption.grant.id, first.grant.id);
        assert!(again.redemption.grant.nonce == first.grant.nonce);
        // Failed once more: it is remembered anew.
        drop(again);
        manual.advance(REMEMBER);
        let late = unconfirmed.begin(with_grant(CODE, 3), &clock);
        assert_eq!(late.redemption.grant.id, GrantId(Uuid::from_u128(3)));
    }

    #[test]
    fn of_repeats_at_once_one_has_the_grant_and_a_settled_one_is_forgotten() {
        let (_, clock) = clocks();
        let unconfirmed = Unconfirmed::default();
        drop(unconfirmed.begin(with_grant(CODE, 1), &clock));
        let mut one = unconfirmed.begin(with_grant(CODE, 2), &clock);
        let other = unconfirmed.begin(with_grant(CODE, 3), &clock);
        assert_eq!(one.redemption.grant.id, GrantId(Uuid::from_u128(1)));
        assert_eq!(other.redemption.grant.id, GrantId(Uuid::from_u128(3)));
        one.is_settled = true;
        drop(one);
        assert!(unconfirmed.grants().is_empty());
    }

    #[test]
    fn a_bounded_number_is_remembered() {
        let (manual, clock) = clocks();
        let unconfirmed = Unconfirmed::default();
        for n in 0..MOST + 5 {
            let code = TransactionId(Uuid::from_u128(n as u128));
            drop(unconfirmed.begin(with_grant(code, 1), &clock));
        }
        assert_eq!(unconfirmed.grants().len(), MOST);
        manual.advance(REMEMBER);
        let another = TransactionId(Uuid::from_u128(u128::MAX));
        drop(unconfirmed.begin(with_grant(another, 1), &clock));
        assert_eq!(unconfirmed.grants().len(), 1);
    }
}
