//! One exchange per public token at a time, and none twice. A second caller with the same token waits for the
//! first one's outcome; what could not be brought to its end is kept for the next attempt.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::error::ExchangeError;
use crate::clock::Timestamp;
use crate::plaid::Exchanged;
use crate::store::model::{AuthorizationId, ConnectionId, GrantId, PublicTokenHash};

/// Exchanges that may be under way at once: they outlive their callers, so the number of connections does not bound
/// them, and Plaid's rate limit is everybody's.
const MAX_RUNNING: usize = 64;
/// Tokens that something is kept of. Only a broken disk or a hanging Plaid makes any.
const MAX_KEPT: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Authorization(AuthorizationId),
    Client(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization(id) => write!(f, "authorization {id}"),
            Self::Client(id) => write!(f, "client {id}"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Made {
    Connection(ConnectionId),
    Grant(GrantId),
}

pub(super) type Outcome = Result<Made, ExchangeError>;

/// What is known of a token whose exchange did not come to its end.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// Plaid gave this, and the store did not take it (a full disk): the token is burnt.
    Unstored(Exchanged),
    /// No answer came: Plaid may have made an Item.
    Unknown,
}

#[derive(Default)]
struct State {
    running: HashMap<PublicTokenHash, (Owner, watch::Receiver<Option<Outcome>>)>,
    kept: HashMap<PublicTokenHash, (Owner, Timestamp, Kept)>,
}

pub(super) struct Singleflight {
    state: Mutex<State>,
    permits: Arc<Semaphore>,
}

impl Default for Singleflight {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            permits: Arc::new(Semaphore::new(MAX_RUNNING)),
        }
    }
}

pub(super) enum Entry {
    Lead(Leader),
    Follow(watch::Receiver<Option<Outcome>>),
    Taken,
    /// Too much is under way, or another token of the same owner.
    Busy,
}

/// The right to work on one token. Dropped without an outcome (the task died) its followers learn that.
pub(super) struct Leader {
    singleflight: Arc<Singleflight>,
    hash: PublicTokenHash,
    sender: watch::Sender<Option<Outcome>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Singleflight {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(self: &Arc<Self>, hash: PublicTokenHash, owner: &Owner) -> Entry {
        let mut state = self.state();
        if let Some((running, outcome)) = state.running.get(&hash) {
            return if running == owner {
                Entry::Follow(outcome.clone())
            } else {
                Entry::Taken
            };
        }
        if state.kept.get(&hash).is_some_and(|(kept, ..)| kept != owner) {
            return Entry::Taken;
        }
        // A browser has one token at a time. A client exchanges for many people.
        let one_at_a_time = matches!(owner, Owner::Authorization(_));
        if one_at_a_time && state.running.values().any(|(running, _)| running == owner) {
            return Entry::Busy;
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Entry::Busy;
        };
        let (sender, outcome) = watch::channel(None);
        state.running.insert(hash, (owner.clone(), outcome));
        Entry::Lead(Leader {
            singleflight: Arc::clone(self),
            hash,
            sender,
            permit: Some(permit),
        })
    }

    /// The tokens that something is kept of, with their owners and since when.
    pub(super) fn kept(&self) -> Vec<(PublicTokenHash, Owner, Timestamp)> {
        let state = self.state();
        state
            .kept
            .iter()
            .map(|(hash, (owner, at, _))| (*hash, owner.clone(), *at))
            .collect()
    }
}

impl Leader {
    pub(super) fn kept(&self) -> Option<Kept> {
        self.singleflight
            .state()
            .kept
            .get(&self.hash)
            .map(|(_, _, kept)| kept.clone())
    }

    pub(super) fn keep(&self, owner: &Owner, kept: Kept, now: Timestamp) {
        let mut state = self.singleflight.state();
        if state.kept.len() >= MAX_KEPT && !state.kept.contains_key(&self.hash) {
            // What Plaid gave is not thrown away for it; that nothing is known of a token can be.
            state
                .kept
                .retain(|_, (_, _, kept)| matches!(kept, Kept::Unstored(_)));
        }
        state.kept.insert(self.hash, (owner.clone(), now, kept));
    }

    pub(super) fn forget(&self) {
        self.singleflight.state().kept.remove(&self.hash);
    }

    /// Makes room for another exchange: this one asks nothing more of Plaid.
    pub(super) fn release_permit(&mut self) {
        self.permit = None;
    }

    pub(super) fn outcome(&self) -> watch::Receiver<Option<Outcome>> {
        self.sender.subscribe()
    }

    pub(super) fn finish(self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.singleflight.state().running.remove(&self.hash);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "tests fail by panicking")]
    use super::*;

    const HASH: PublicTokenHash = PublicTokenHash([1; 32]);
    const OTHER: PublicTokenHash = PublicTokenHash([2; 32]);

    fn authorization(n: u128) -> Owner {
        Owner::Authorization(AuthorizationId(uuid::Uuid::from_u128(n)))
    }

    fn leader(singleflight: &Arc<Singleflight>, hash: PublicTokenHash, owner: &Owner) -> Leader {
        match singleflight.enter(hash, owner) {
            Entry::Lead(leader) => leader,
            _ => panic!("nobody else is there"),
        }
    }

    #[tokio::test]
    async fn the_same_token_is_followed_and_the_outcome_is_shared() {
        let singleflight = Arc::new(Singleflight::default());
        let first = leader(&singleflight, HASH, &authorization(1));
        let Entry::Follow(mut outcome) = singleflight.enter(HASH, &authorization(1)) else {
            panic!("the second follows")
        };
        assert!(matches!(
            singleflight.enter(HASH, &authorization(2)),
            Entry::Taken
        ));
        assert!(matches!(
            singleflight.enter(OTHER, &authorization(1)),
            Entry::Busy
        ));
        first.finish(Err(ExchangeError::Taken));
        let finished = outcome
            .wait_for(Option::is_some)
            .await
            .map(|outcome| outcome.clone());
        assert!(matches!(finished, Ok(Some(Err(ExchangeError::Taken)))));
        assert!(singleflight.state().running.is_empty());
    }

    #[tokio::test]
    async fn a_leader_that_dies_leaves_nobody_waiting() {
        let singleflight = Arc::new(Singleflight::default());
        let first = leader(&singleflight, HASH, &authorization(1));
        let mut outcome = first.outcome();
        drop(first);
        assert!(outcome.wait_for(Option::is_some).await.is_err());
        drop(leader(&singleflight, HASH, &authorization(1)));
    }

    #[test]
    fn what_is_kept_is_its_owners() {
        let singleflight = Arc::new(Singleflight::default());
        let now = Timestamp::from_millis(1);
        leader(&singleflight, HASH, &authorization(1)).keep(&authorization(1), Kept::Unknown, now);
        assert!(matches!(
            singleflight.enter(HASH, &authorization(2)),
            Entry::Taken
        ));
        let again = leader(&singleflight, HASH, &authorization(1));
        assert!(matches!(again.kept(), Some(Kept::Unknown)));
        again.forget();
        assert!(singleflight.kept().is_empty());
    }

    #[test]
    fn only_so_many_are_under_way() {
        let singleflight = Arc::new(Singleflight::default());
        let client = Owner::Client("c".to_owned());
        let leaders: Vec<Leader> = (0..64u8)
            .map(|n| leader(&singleflight, PublicTokenHash([n; 32]), &client))
            .collect();
        assert!(matches!(
            singleflight.enter(PublicTokenHash([99; 32]), &client),
            Entry::Busy
        ));
        drop(leaders);
        drop(leader(&singleflight, HASH, &client));
    }
}
