//! A few read-only connections: look-ups go past the writer and never wait for a sync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::StoreError;

const CLOSED: StoreError = StoreError::Unavailable("it is closed");

/// Connections that lie idle, and as many permits to take one.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    count: u32,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        let count = connections.len();
        Self {
            idle: Arc::new(Mutex::new(connections)),
            permits: Arc::new(Semaphore::new(count)),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        }
    }

    /// Runs a look-up on a blocking thread, as a page may have to come from the disk.
    pub(super) async fn read<T, F>(&self, look_up: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| CLOSED)?;
        let idle = Arc::clone(&self.idle);
        let task = tokio::task::spawn_blocking(move || {
            let mut conn = lock(&idle).pop().ok_or(CLOSED)?;
            // What a panic leaves of the look-up is dropped with it; the connection is as good as before.
            let found = catch_unwind(AssertUnwindSafe(|| look_up(&mut conn)))
                .unwrap_or_else(|_| Err(StoreError::panicked()));
            lock(&idle).push(conn);
            drop(permit);
            found
        });
        task.await
            .unwrap_or(Err(StoreError::Unavailable("the look-up was stopped")))
    }

    /// Waits for the look-ups that run, refuses new ones, and closes the connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(self.count).await {
            self.permits.close();
            lock(&self.idle).clear();
            drop(all);
        }
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
