//! What may be done once at a time, and how many may wait for it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One at a time, with so many places for those who do it or wait for it.
#[derive(Clone, Debug)]
pub struct Turns {
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// A place in the row; it is free again once it is dropped.
#[derive(Debug)]
pub struct Place {
    _place: OwnedSemaphorePermit,
    turn: Arc<Semaphore>,
}

/// It is the holder's turn until this is dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for what its drop does")] Option<OwnedSemaphorePermit>);

impl Turns {
    /// `places`: one for who does it, the others for those who wait.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// A place, unless all are taken.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place {
            _place: place,
            turn: Arc::clone(&self.turn),
        })
    }
}

impl Place {
    /// Waits for those who came before, in their order.
    pub async fn turn(&self) -> Turn {
        // It is never closed, so this only waits.
        Turn(Arc::clone(&self.turn).acquire_owned().await.ok())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_in_order_and_no_more_than_there_are_places() {
        let turns = Turns::new(2);
        let (first, second) = (turns.place().unwrap(), turns.place().unwrap());
        assert!(turns.place().is_none());
        let turn = first.turn().await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), second.turn()).await;
        assert!(waiting.is_err());
        drop((turn, first));
        second.turn().await;
        assert!(turns.place().is_some());
    }
}
