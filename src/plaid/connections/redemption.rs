//! Redeeming a code whose client may not hear of it: the answer was "try again", or the client hung up, and the commit may
//! still happen. The grant is remembered for a minute, so that the client's repeat redeems with the same one and wins.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Connections;
use crate::clock::{SharedClock, Timestamp};
use crate::store::StoreError;
use crate::store::model::{AuthorizationId, GrantId, NewGrant, RedeemOutcome, Redemption};
use crate::telemetry::audit::Origin;

const REMEMBER: Duration = Duration::from_secs(60);
/// Codes whose grants are remembered at once. Only a store that fails, or clients that hang up, make any.
const MOST: usize = 10_000;
/// Grants that are remembered of one code: a client may send a code several times at once.
const MOST_OF_A_CODE: usize = 4;

/// The grants of redemptions whose outcome their clients do not know.
#[derive(Default)]
pub(super) struct Unconfirmed(Mutex<HashMap<AuthorizationId, Vec<(NewGrant, Timestamp)>>>);

impl Unconfirmed {
    fn grants(&self) -> MutexGuard<'_, HashMap<AuthorizationId, Vec<(NewGrant, Timestamp)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first grant of this code that is remembered and fits. It is taken out, so that of several repeats at once
    /// only one has it.
    fn take(
        &self,
        code: AuthorizationId,
        now: Timestamp,
        fits: impl Fn(&NewGrant) -> bool,
    ) -> Option<NewGrant> {
        let mut grants = self.grants();
        let remembered = grants.get_mut(&code)?;
        remembered.retain(|(_, at)| now.since(*at) < REMEMBER);
        let found = remembered.iter().position(|(grant, _)| fits(grant));
        let grant = found.map(|index| remembered.swap_remove(index).0);
        if remembered.is_empty() {
            grants.remove(&code);
        }
        grant
    }

    /// Begins a redemption: with a grant that is remembered for this code, else with this one.
    fn begin<'a>(&'a self, mut redemption: Redemption, clock: &'a SharedClock) -> Attempt<'a> {
        if let Some(grant) = self.take(redemption.authorization_id, clock.now(), |_| true) {
            redemption.grant = grant;
        }
        Attempt {
            unconfirmed: self,
            clock,
            redemption,
            is_settled: false,
        }
    }

    fn remember(&self, code: AuthorizationId, grant: NewGrant, now: Timestamp) {
        let mut grants = self.grants();
        if grants.len() >= MOST {
            grants.retain(|_, of_code| of_code.iter().any(|(_, at)| now.since(*at) < REMEMBER));
        }
        if grants.len() < MOST || grants.contains_key(&code) {
            let of_code = grants.entry(code).or_default();
            of_code.retain(|(_, at)| now.since(*at) < REMEMBER);
            if of_code.len() < MOST_OF_A_CODE {
                of_code.push((grant, now));
            }
        }
    }

    fn forget(&self, code: AuthorizationId) {
        self.grants().remove(&code);
    }
}

/// A redemption under way. Dropped before it is settled, its grant is remembered.
struct Attempt<'a> {
    unconfirmed: &'a Unconfirmed,
    clock: &'a SharedClock,
    redemption: Redemption,
    is_settled: bool,
}

impl Attempt<'_> {
    /// Goes on with the grant that has redeemed the code, if it is a remembered one. Returns whether it is.
    fn go_on_with(&mut self, committed: GrantId) -> bool {
        let code = self.redemption.authorization_id;
        let now = self.clock.now();
        let Some(grant) = self.unconfirmed.take(code, now, |grant| grant.id == committed) else {
            return false;
        };
        self.redemption.grant = grant;
        true
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            let Redemption {
                authorization_id,
                grant,
            } = self.redemption.clone();
            self.unconfirmed
                .remember(authorization_id, grant, self.clock.now());
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
        let store = inner.store.by(origin);
        let mut attempt = inner.redemptions.begin(redemption, &inner.clock);
        let mut outcome = store.redeem(attempt.redemption.clone(), now).await?;
        if let RedeemOutcome::AlreadyRedeemed { grant_id, .. } = outcome
            && attempt.go_on_with(grant_id)
        {
            outcome = store.redeem(attempt.redemption.clone(), now).await?;
        }
        attempt.is_settled = true;
        if matches!(outcome, RedeemOutcome::Redeemed(_)) {
            inner.redemptions.forget(attempt.redemption.authorization_id);
        }
        Ok((attempt.redemption.grant.clone(), outcome))
    }

    /// The number of codes with redemptions whose outcome their clients do not know.
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

    const CODE: AuthorizationId = AuthorizationId(Uuid::from_u128(1));

    fn with_grant(code: AuthorizationId, id: u128) -> Redemption {
        let grant = NewGrant {
            id: GrantId(Uuid::from_u128(id)),
            nonce: crate::random::nonce(),
            client_id: "kore".to_owned(),
            scope: Vec::new(),
        };
        Redemption {
            authorization_id: code,
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
    fn of_attempts_at_once_that_failed_each_grant_is_remembered_and_the_committed_one_found() {
        let (_, clock) = clocks();
        let unconfirmed = Unconfirmed::default();
        // Six attempts at once all fail.
        let attempts: Vec<_> = (1..=6)
            .map(|id| unconfirmed.begin(with_grant(CODE, id), &clock))
            .collect();
        drop(attempts);
        let remembered = unconfirmed.grants().get(&CODE).map(Vec::len);
        assert_eq!(remembered, Some(MOST_OF_A_CODE));
        for committed in 1..=4 {
            let committed = GrantId(Uuid::from_u128(committed));
            let mut repeat = unconfirmed.begin(with_grant(CODE, 7), &clock);
            if repeat.redemption.grant.id != committed {
                let other = repeat.redemption.clone();
                assert!(repeat.go_on_with(committed));
                unconfirmed.remember(CODE, other.grant, clock.now());
            }
            assert_eq!(repeat.redemption.grant.id, committed);
            assert!(!repeat.go_on_with(committed), "taken out");
            // It fails too.
            drop(repeat);
        }
        let mut repeat = unconfirmed.begin(with_grant(CODE, 7), &clock);
        assert!(!repeat.go_on_with(GrantId(Uuid::from_u128(6))));
    }

    #[test]
    fn a_bounded_number_is_remembered() {
        let (manual, clock) = clocks();
        let unconfirmed = Unconfirmed::default();
        for n in 0..MOST + 5 {
            let code = AuthorizationId(Uuid::from_u128(n as u128));
            drop(unconfirmed.begin(with_grant(code, 1), &clock));
        }
        assert_eq!(unconfirmed.grants().len(), MOST);
        manual.advance(REMEMBER);
        let another = AuthorizationId(Uuid::from_u128(u128::MAX));
        drop(unconfirmed.begin(with_grant(another, 1), &clock));
        assert_eq!(unconfirmed.grants().len(), 1);
    }
}
