//! The removal queue's worker: connections whose code nobody redeemed are abandoned, and what is queued is removed
//! at Plaid. The wish is on disk; it ends only when Plaid confirms, or says that the Item is gone.
//!
//! Instances that share a store share the queue: each leases what it takes, and a lease that a killed instance left runs
//! out by itself. The rate and the pauses are each instance's own.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Connections, Inner};
use crate::plaid::PlaidError;
use crate::store::StoreError;
use crate::store::model::{Abandonment, Removal};
use crate::store::token_index::ItemUse;

/// How often unused connections are looked for, and removals that became due again.
const EVERY: Duration = Duration::from_secs(30);
/// A lease is longer than a call to Plaid may take and the store may need to note its outcome.
const LEASE: Duration = Duration::from_secs(120);
/// Removals that are under way at the same time, at most.
const MOST_AT_ONCE: u32 = 32;
/// The first pause after a failed try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// The first pause of all removals when Plaid's rate limit is reached and Plaid does not say how long to wait; it doubles
/// up to a minute, as Plaid counts by the minute.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
/// What Plaid, or a proxy on the way, may demand as a pause.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// How long finished authorizations are remembered, so that a late repeat still gets a clear answer.
const REMEMBER: Duration = Duration::from_secs(3600);

/// How many failures in a row make a removal the operator's matter.
const ALARMING: u32 = 5;

/// When connections are given up that nobody uses.
#[derive(Clone, Copy, Debug)]
pub struct AbandonAfter {
    /// With a code that nobody redeems (`BROKER_UNREDEEMED_TTL`).
    pub unredeemed: Duration,
    /// With a connection of the browser login flow: as long as its session lives.
    pub session: Duration,
}

pub struct RemovalWorker {
    connections: Connections,
    abandon_after: AbandonAfter,
    rate: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Removed,
    /// It is tried again later.
    Failed,
    /// Another connection still uses the Item.
    Kept,
    /// Whether another connection uses the Item is not known yet: it is due again when its lease runs out.
    Waiting,
    /// One call too many for Plaid's rate limit; how long to wait, if Plaid said.
    Limited(Option<Duration>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    /// None: nothing is due.
    leased: u32,
    removed: usize,
    limited: bool,
    /// The longest pause that Plaid asked for then, if it did.
    retry_after: Option<Duration>,
}

impl RemovalWorker {
    /// A worker on these connections, which removes at most `rate` Items per minute (at least one).
    #[must_use]
    pub fn new(connections: Connections, abandon_after: AbandonAfter, rate: u32) -> Self {
        Self {
            connections,
            abandon_after,
            rate: rate.max(1),
        }
    }

    /// Removes while anything is due, and looks for unused connections at once and then every half minute.
    pub async fn run(self, stop: CancellationToken) {
        let work = async { tokio::join!(self.sweep_every_half_minute(), self.remove_what_is_due()) };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = work => {}
        }
    }

    async fn sweep_every_half_minute(&self) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::error!(%error, "search for unused connections failed; trying again later");
            }
            // Also what was postponed may be due now.
            self.connections.removals_wanted();
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn remove_what_is_due(&self) {
        let mut back_off = FIRST_BACK_OFF;
        loop {
            let began = Instant::now();
            let pause = match self.batch().await {
                Ok(Batch { leased: 0, .. }) => {
                    self.connections.0.removals.notified().await;
                    continue;
                }
                Ok(Batch {
                    limited: true,
                    retry_after,
                    ..
                }) => {
                    let pause = retry_after.unwrap_or(back_off).min(LONGEST_RETRY_AFTER);
                    back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                    tracing::warn!(
                        pause_s = pause.as_secs(),
                        "Plaid's rate limit for removals reached; pausing removals"
                    );
                    pause
                }
                Ok(Batch { leased, .. }) => {
                    back_off = FIRST_BACK_OFF;
                    self.spacing(leased).saturating_sub(began.elapsed())
                }
                Err(error) => {
                    tracing::error!(%error, "removal queue not processed; trying again later");
                    EVERY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn spacing(&self, removals: u32) -> Duration {
        Duration::from_secs(60) * removals / self.rate
    }

    /// A sweep, and then all removals that are due, without a pause between them. Returns the number of Items removed.
    pub async fn look(&self) -> Result<usize, StoreError> {
        self.sweep().await?;
        let mut removed = 0;
        loop {
            let batch = self.batch().await?;
            removed += batch.removed;
            if batch.leased == 0 || batch.limited {
                return Ok(removed);
            }
        }
    }

    /// Abandons and forgets, in commits of a bounded size, so that requests in between are not held up.
    async fn sweep(&self) -> Result<(), StoreError> {
        let inner = &self.connections.0;
        let now = inner.clock.now();
        let abandonment = Abandonment {
            unredeemed_before: now.minus(self.abandon_after.unredeemed),
            sessions_before: now.minus(self.abandon_after.session),
        };
        loop {
            let abandoned = inner.store.abandon(abandonment, now).await?;
            if abandoned == 0 {
                break;
            }
            inner.metrics.abandoned(abandoned);
            tracing::info!(abandoned, "unused connections queued for removal");
        }
        self.connections.settle().await;
        while inner.store.purge(now.minus(REMEMBER)).await? > 0 {}
        Ok(())
    }

    /// Takes what the rate allows in a second, asks Plaid for all of it at the same time, and waits for all answers.
    async fn batch(&self) -> Result<Batch, StoreError> {
        let inner = &self.connections.0;
        let now = inner.clock.now();
        let limit = (self.rate / 60).clamp(1, MOST_AT_ONCE);
        let limit = usize::try_from(limit).unwrap_or(1);
        let taken = inner.store.take_removals(now, now.plus(LEASE), limit).await?;
        // Tracked: the worker may be stopped between Plaid's answer and the store's note of it.
        let tries: Vec<_> = taken
            .removals
            .into_iter()
            .map(|removal| inner.tasks.spawn(remove(inner.clone(), removal)))
            .collect();
        let mut batch = Batch {
            leased: u32::try_from(taken.leased).unwrap_or(u32::MAX),
            ..Batch::default()
        };
        let mut failure = None;
        for tried in tries {
            match tried.await.unwrap_or(Ok(Tried::Failed)) {
                Ok(Tried::Removed) => batch.removed += 1,
                Ok(Tried::Failed | Tried::Kept | Tried::Waiting) => {}
                Ok(Tried::Limited(pause)) => {
                    batch.limited = true;
                    batch.retry_after = batch.retry_after.max(pause);
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(batch), Err)
    }
}

async fn remove(inner: std::sync::Arc<Inner>, removal: Removal) -> Result<Tried, StoreError> {
    match try_to_remove(&inner, &removal).await {
        // A row that cannot be read, of this connection or another one of the same Item, must not delay all others.
        Err(error @ (StoreError::Sealed(_) | StoreError::Corrupt(_))) => {
            postpone(&inner, &removal, &error).await?;
            Ok(Tried::Failed)
        }
        outcome => outcome,
    }
}

async fn try_to_remove(inner: &Inner, removal: &Removal) -> Result<Tried, StoreError> {
    let connection = &removal.connection;
    // Several connections of one Item share its access token: the last one that ends removes the Item.
    match inner.store.item_use(connection).await? {
        ItemUse::Here => {}
        ItemUse::Elsewhere => {
            inner.store.keep_item(connection.id, inner.clock.now()).await?;
            tracing::info!(connection = %connection.id, item = %connection.item_id,
                "connection ended; its Item stays, because another connection uses it");
            return Ok(Tried::Kept);
        }
        ItemUse::NotKnownYet => {
            tracing::info!(connection = %connection.id, item = %connection.item_id,
                "removal delayed until connections of an earlier version are indexed");
            return Ok(Tried::Waiting);
        }
    }
    let answer = inner.plaid.item_remove(&connection.access_token).await;
    if is_gone(&answer) {
        inner.metrics.removal("removed");
        let now = inner.clock.now();
        inner.store.finish_removal(connection.id, now).await?;
        tracing::info!(connection = %connection.id, item = %connection.item_id, "Item removed at Plaid");
        return Ok(Tried::Removed);
    }
    let Err(error) = answer else {
        return Ok(Tried::Failed);
    };
    if error.is_rate_limit() {
        // Nothing is wrong with this removal: it is due again when its lease runs out.
        inner.metrics.removal("limited");
        return Ok(Tried::Limited(error.api().and_then(|error| error.retry_after)));
    }
    postpone(inner, removal, &error).await?;
    Ok(Tried::Failed)
}

async fn postpone(
    inner: &Inner,
    removal: &Removal,
    error: &impl std::fmt::Display,
) -> Result<(), StoreError> {
    let connection = &removal.connection;
    inner.metrics.removal("failed");
    let pause = pause(removal.attempts);
    let next_try = inner.clock.now().plus(pause);
    inner.store.postpone_removal(connection.id, next_try).await?;
    let attempts = removal.attempts + 1;
    if attempts >= ALARMING {
        tracing::error!(%error, connection = %connection.id, item = %connection.item_id, attempts,
            next_try_s = pause.as_secs(), "Item removal failed repeatedly at Plaid; the Item may be billed");
    } else {
        tracing::warn!(%error, connection = %connection.id, item = %connection.item_id, attempts,
            next_try_s = pause.as_secs(), "Item removal failed at Plaid; trying again");
    }
    Ok(())
}

/// Confirmed, or said to be gone. An answer that could also mean "wrong account" (a token that is not found) never
/// counts as gone.
fn is_gone(answer: &Result<String, PlaidError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(PlaidError::Api(error)) => {
            matches!(
                error.error_code.as_str(),
                "ITEM_NOT_FOUND" | "ITEM_CONCURRENTLY_DELETED"
            )
        }
        Err(_) => false,
    }
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2u32.saturating_pow(attempts.min(20)))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
