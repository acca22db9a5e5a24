//! One exchange per public token at a time, and none twice. Whoever brings a token that is under way waits for that
//! exchange's outcome; what could not be brought to its end is kept for the next attempt.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::exchange::ExchangeError;
use crate::clock::Timestamp;
use crate::plaid::Exchanged;
use crate::store::model::{AuthorizationId, ConnectionId, GrantId, PublicTokenHash};

/// Exchanges that may be under way at once: they outlive their callers, so the number of connections does not bound
/// them, and Plaid's rate limit is everybody's.
const MAX_FLIGHTS: usize = 64;
/// Tokens that something is kept of. Only a broken disk or a hanging Plaid makes any.
const MAX_KEPT: usize = 10_000;

/// Who brings a public token.
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

/// What an exchange made.
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
    flying: HashMap<PublicTokenHash, (Owner, watch::Receiver<Option<Outcome>>)>,
    kept: HashMap<PublicTokenHash, (Owner, Timestamp, Kept)>,
}

/// All that are under way.
pub(super) struct Flights {
    state: Mutex<State>,
    places: Arc<Semaphore>,
}

impl Default for Flights {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_FLIGHTS)),
        }
    }
}

/// What somebody who brings a token is to do.
pub(super) enum Entry {
    /// Exchange it.
    Lead(Lead),
    /// Wait for the one who does.
    Follow(watch::Receiver<Option<Outcome>>),
    /// It is somebody else's.
    Taken,
    /// Too much is under way, or another token of the same owner.
    Busy,
}

/// The right to work on one token. Dropped without an outcome (the task died) its followers learn that.
pub(super) struct Lead {
    flights: Arc<Flights>,
    hash: PublicTokenHash,
    sender: watch::Sender<Option<Outcome>>,
    place: Option<OwnedSemaphorePermit>,
}

impl Flights {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes with a token.
    pub(super) fn enter(self: &Arc<Self>, hash: PublicTokenHash, owner: &Owner) -> Entry {
        let mut state = self.state();
        if let Some((flying, outcome)) = state.flying.get(&hash) {
            return if flying == owner {
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
        if one_at_a_time && state.flying.values().any(|(flying, _)| flying == owner) {
            return Entry::Busy;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Entry::Busy;
        };
        let (sender, outcome) = watch::channel(None);
        state.flying.insert(hash, (owner.clone(), outcome));
        Entry::Lead(Lead {
            flights: Arc::clone(self),
            hash,
            sender,
            place: Some(place),
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

impl Lead {
    /// What was kept of the attempt before.
    pub(super) fn kept(&self) -> Option<Kept> {
        self.flights
            .state()
            .kept
            .get(&self.hash)
            .map(|(_, _, kept)| kept.clone())
    }

    /// Keeps this for the next attempt.
    pub(super) fn keep(&self, owner: &Owner, kept: Kept, now: Timestamp) {
        let mut state = self.flights.state();
        if state.kept.len() >= MAX_KEPT && !state.kept.contains_key(&self.hash) {
            // What Plaid gave is not thrown away for it; that nothing is known of a token can be.
            state
                .kept
                .retain(|_, (_, _, kept)| matches!(kept, Kept::Unstored(_)));
        }
        state.kept.insert(self.hash, (owner.clone(), now, kept));
    }

    /// Nothing needs to be kept any more.
    pub(super) fn forget(&self) {
        self.flights.state().kept.remove(&self.hash);
    }

    /// Makes room for another exchange: this one asks nothing more of Plaid.
    pub(super) fn release_place(&mut self) {
        self.place = None;
    }

    /// Where the outcome will stand.
    pub(super) fn outcome(&self) -> watch::Receiver<Option<Outcome>> {
        self.sender.subscribe()
    }

    /// Tells the outcome to all who wait.
    pub(super) fn land(self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.flights.state().flying.remove(&self.hash);
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

    fn lead(flights: &Arc<Flights>, hash: PublicTokenHash, owner: &Owner) -> Lead {
        match flights.enter(hash, owner) {
            Entry::Lead(lead) => lead,
            _ => panic!("nobody else is there"),
        }
    }

    #[tokio::test]
    async fn the_same_token_is_followed_and_the_outcome_is_shared() {
        let flights = Arc::new(Flights::default());
        let first = lead(&flights, HASH, &authorization(1));
        let Entry::Follow(mut outcome) = flights.enter(HASH, &authorization(1)) else {
            panic!("the second follows")
        };
        assert!(matches!(flights.enter(HASH, &authorization(2)), Entry::Taken));
        assert!(matches!(flights.enter(OTHER, &authorization(1)), Entry::Busy));
        first.land(Err(ExchangeError::Taken));
        let landed = outcome
            .wait_for(Option::is_some)
            .await
            .map(|outcome| outcome.clone());
        assert!(matches!(landed, Ok(Some(Err(ExchangeError::Taken)))));
        assert!(flights.state().flying.is_empty());
    }

    #[tokio::test]
    async fn a_leader_that_dies_leaves_nobody_waiting() {
        let flights = Arc::new(Flights::default());
        let first = lead(&flights, HASH, &authorization(1));
        let mut outcome = first.outcome();
        drop(first);
        assert!(outcome.wait_for(Option::is_some).await.is_err());
        drop(lead(&flights, HASH, &authorization(1)));
    }

    #[test]
    fn what_is_kept_is_its_owners() {
        let flights = Arc::new(Flights::default());
        let now = Timestamp::from_millis(1);
        lead(&flights, HASH, &authorization(1)).keep(&authorization(1), Kept::Unknown, now);
        assert!(matches!(flights.enter(HASH, &authorization(2)), Entry::Taken));
        let again = lead(&flights, HASH, &authorization(1));
        assert!(matches!(again.kept(), Some(Kept::Unknown)));
        again.forget();
        assert!(flights.kept().is_empty());
    }

    #[test]
    fn only_so_many_are_under_way() {
        let flights = Arc::new(Flights::default());
        let client = Owner::Client("c".to_owned());
        let leads: Vec<Lead> = (0..64u8)
            .map(|n| lead(&flights, PublicTokenHash([n; 32]), &client))
            .collect();
        assert!(matches!(
            flights.enter(PublicTokenHash([99; 32]), &client),
            Entry::Busy
        ));
        drop(leads);
        drop(lead(&flights, HASH, &client));
    }
}
