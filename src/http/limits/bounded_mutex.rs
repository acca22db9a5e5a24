//! A mutex with a bounded number of waiters.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

#[derive(Clone, Debug)]
pub struct BoundedMutex {
    slots: Arc<Semaphore>,
    mutex: Arc<Mutex<()>>,
}

/// A place in the queue; dropping it frees the place.
#[derive(Debug)]
pub struct QueueSlot {
    mutex: Arc<Mutex<()>>,
    _permit: OwnedSemaphorePermit,
}

impl BoundedMutex {
    /// `slots`: the holder and its waiters.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            mutex: Arc::default(),
        }
    }

    /// `None`: the queue is full.
    #[must_use]
    pub fn enter(&self) -> Option<QueueSlot> {
        Some(QueueSlot {
            _permit: Arc::clone(&self.slots).try_acquire_owned().ok()?,
            mutex: Arc::clone(&self.mutex),
        })
    }
}

impl QueueSlot {
    /// Waits for those who entered before, in their order.
    pub async fn lock(&self) -> MutexGuard<'_, ()> {
        self.mutex.lock().await
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_in_order_and_no_more_than_there_are_slots() {
        let mutex = BoundedMutex::new(2);
        let (first, second) = (mutex.enter().unwrap(), mutex.enter().unwrap());
        assert!(mutex.enter().is_none());
        let held = first.lock().await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), second.lock()).await;
        assert!(waiting.is_err());
        drop(held);
        drop(first);
        drop(second.lock().await);
        assert!(mutex.enter().is_some());
    }
}
