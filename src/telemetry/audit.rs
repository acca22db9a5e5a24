//! The audit log's batched half: what changes nothing in the store is noted here and written now and then.
//!
//! What changes something is written by the store in the commit of the change itself. A note never waits and forces no
//! sync: it goes into a bounded memory, and a background task writes what gathered every few seconds and at the end.
//! So refreshes stay reads, and strangers cannot make the disk work: equal refused attempts of a minute are one row with
//! a count, beyond a number of different ones their addresses are left out, and beyond a greater number notes are dropped
//! and counted, in the log itself.

mod file;
mod pending;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::file::AuditFile;
pub use self::file::FileError;
use self::pending::Pending;
use crate::clock::SharedClock;
use crate::store::model::{ConnectionId, GrantId};
use crate::store::{Store, StoreError};

pub use crate::store::model::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

/// Rows of one commit: requests wait for it.
const AT_ONCE: usize = 250;
const EVERY: Duration = Duration::from_secs(5);
const FORGET_EVERY: Duration = Duration::from_secs(3600);

#[derive(Clone)]
pub struct Audit(Arc<Shared>);

struct Shared {
    store: Store,
    clock: SharedClock,
    keep: Option<Duration>,
    pending: Mutex<Pending>,
    /// One flush at a time; the file goes with it.
    file: tokio::sync::Mutex<Option<AuditFile>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// What is due; repeated refused attempts wait until their minute is over.
    Due,
    /// Everything: before the log is read, and at shutdown.
    All,
}

impl Audit {
    /// Of this store. `file` is `BROKER_AUDIT_FILE`; `keep` says how long rows are kept, `None`: for ever. Touches
    /// neither until the first flush; see [`open_file`](Self::open_file).
    #[must_use]
    pub fn new(store: Store, clock: SharedClock, file: Option<PathBuf>, keep: Option<Duration>) -> Self {
        let pending = Pending::new(clock.now());
        Self(Arc::new(Shared {
            store,
            clock,
            keep,
            pending: Mutex::new(pending),
            file: tokio::sync::Mutex::new(file.map(AuditFile::new)),
        }))
    }

    /// Whether the file can be written, so that a wrong setting is reported at the start.
    pub async fn open_file(&self) -> Result<(), FileError> {
        let file = self.0.file.lock().await;
        file.as_ref().map_or(Ok(()), AuditFile::check)
    }

    /// Notes something that changed nothing in the store. Never waits, and is written within seconds.
    pub fn note(&self, new: NewAudit) {
        let now = self.0.clock.now();
        self.pending().note(new, now);
    }

    /// Notes that a grant's refresh token was answered, for `connections list`.
    pub fn refreshed(&self, grant: GrantId) {
        let now = self.0.clock.now();
        self.pending().refreshed(grant, now);
    }

    /// Notes what Plaid said of a connection: `healthy`, `unknown` or its error code.
    pub fn health(&self, connection: ConnectionId, word: &str) {
        let now = self.0.clock.now();
        self.pending().health(connection, word, now);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what gathered, in commits of a bounded size, and then what the log has new to the file.
    ///
    /// # Errors
    /// When the store does not take it. Then it is kept for the next time, within the same bounds.
    pub async fn flush(&self, how: Flush) -> Result<(), StoreError> {
        let mut file = self.0.file.lock().await;
        let mut batch = self.pending().take(how == Flush::All, self.0.clock.now());
        while !batch.is_empty() {
            let part = batch.take(AT_ONCE);
            if let Err(error) = self.0.store.record_batch(part.clone()).await {
                let mut pending = self.pending();
                pending.put_back(part);
                pending.put_back(batch);
                return Err(error);
            }
        }
        match file.as_mut() {
            Some(file) => file.follow(&self.0.store).await,
            None => Ok(()),
        }
    }

    /// Runs until it is stopped: flushes every few seconds, and forgets what is older than rows are kept.
    pub async fn run(self, stop: CancellationToken) {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut next_forgetting = self.0.clock.now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = every.tick() => {}
            }
            if let Err(error) = self.flush(Flush::Due).await {
                tracing::error!(%error, "audit log not written; entries kept for the next attempt");
            }
            if self.0.clock.now() >= next_forgetting {
                next_forgetting = self.0.clock.now().plus(FORGET_EVERY);
                if let Err(error) = self.forget().await {
                    tracing::error!(%error, "old audit entries not deleted");
                }
            }
        }
    }

    /// Forgets rows that are older than they are kept. A bounded number at a time, so that requests come in between.
    async fn forget(&self) -> Result<(), StoreError> {
        let Some(keep) = self.0.keep else { return Ok(()) };
        let now = self.0.clock.now();
        while self.0.store.forget_audit(now.minus(keep), now).await? > 0 {}
        Ok(())
    }
}
