//! The removal queue's worker: connections whose code nobody redeemed are abandoned, and what is queued is removed
//! at Plaid. The wish is on disk; it ends only when Plaid confirms, or says that the Item is gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Connections;
use crate::plaid::PlaidError;
use crate::store::StoreError;
use crate::store::model::{Abandonment, Removal};

/// How often the queue is looked at.
const EVERY: Duration = Duration::from_secs(30);
/// How many removals are tried at one look.
const BATCH: usize = 20;
/// The first pause after a failed try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// How long finished transactions are remembered, so that a late repeat still gets a clear answer.
const REMEMBER: Duration = Duration::from_secs(3600);

/// How many failures in a row make a removal the operator's matter.
const ALARMING: u32 = 5;

/// How long what was made may wait until it is given up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// With a code that nobody redeems (`BROKER_UNREDEEMED_TTL`).
    pub unredeemed: Duration,
    /// With a connection of the browser login flow: as long as its session lives.
    pub session: Duration,
}

/// Runs until it is stopped.
pub struct RemovalWorker {
    connections: Connections,
    patience: Patience,
}

impl RemovalWorker {
    /// A worker on these connections.
    #[must_use]
    pub fn new(connections: Connections, patience: Patience) -> Self {
        Self {
            connections,
            patience,
        }
    }

    /// Looks at the queue at once and then every half minute.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                tracing::error!(%error, "the removal queue could not be worked on; trying again later");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
                () = self.connections.0.removals.notified() => {}
            }
        }
    }

    /// One look: abandon, forget, remove. Gives how many Items were removed.
    pub async fn look(&self) -> Result<usize, StoreError> {
        let inner = &self.connections.0;
        let now = inner.clock.now();
        let abandonment = Abandonment {
            unredeemed_before: now.minus(self.patience.unredeemed),
            sessions_before: now.minus(self.patience.session),
        };
        let abandoned = inner.store.abandon(abandonment, now).await?;
        inner.metrics.abandoned(abandoned);
        if abandoned > 0 {
            tracing::info!(abandoned, "connections that nobody used are queued for removal");
        }
        self.connections.settle().await;
        // A purge takes a bounded number of rows, so that requests in between are not held up.
        while inner.store.purge(now.minus(REMEMBER)).await? > 0 {}
        let mut removed = 0;
        for removal in inner.store.due_removals(now, BATCH).await? {
            removed += usize::from(self.remove(removal).await?);
        }
        Ok(removed)
    }

    /// Tracked: the worker may be stopped between Plaid's answer and the store's note of it.
    async fn remove(&self, removal: Removal) -> Result<bool, StoreError> {
        let inner = self.connections.0.clone();
        let work = async move {
            let connection = &removal.connection;
            // Several connections of one Item share its access token: the last one that ends removes the Item.
            if inner.store.is_item_used_elsewhere(connection).await? {
                inner
                    .store
                    .finish_removal(connection.id, inner.clock.now())
                    .await?;
                tracing::info!(connection = %connection.id, item = %connection.item_id,
                    "connection ended; its Item stays, because another connection uses it");
                return Ok(false);
            }
            let answer = inner.plaid.item_remove(&connection.access_token).await;
            let gone = is_gone(&answer);
            inner.metrics.removal(gone);
            if gone {
                inner
                    .store
                    .finish_removal(connection.id, inner.clock.now())
                    .await?;
                tracing::info!(connection = %connection.id, item = %connection.item_id, "Item removed at Plaid");
                return Ok(true);
            }
            let pause = pause(removal.attempts);
            let next_try = inner.clock.now().plus(pause);
            inner.store.postpone_removal(connection.id, next_try).await?;
            let Err(error) = answer else { return Ok(false) };
            let attempts = removal.attempts + 1;
            if attempts >= ALARMING {
                tracing::error!(%error, connection = %connection.id, item = %connection.item_id, attempts,
                    next_try_s = pause.as_secs(), "an Item still cannot be removed at Plaid, and may be billed");
            } else {
                tracing::warn!(%error, connection = %connection.id, item = %connection.item_id, attempts,
                    next_try_s = pause.as_secs(), "an Item could not be removed at Plaid; trying again");
            }
            Ok(false)
        };
        self.connections.0.tasks.spawn(work).await.unwrap_or(Ok(false))
    }
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
mod tests {
    use super::*;
    use crate::plaid::ApiError;

    #[test]
    fn the_pause_doubles_up_to_its_end() {
        assert_eq!(pause(0), Duration::from_secs(30));
        assert_eq!(pause(1), Duration::from_secs(60));
        assert_eq!(pause(60), LONGEST_PAUSE);
    }

    #[test]
    fn an_answer_that_could_mean_a_wrong_account_is_not_gone() {
        let api = |code: &str| {
            Err(PlaidError::Api(Box::new(ApiError {
                error_code: code.to_owned(),
                ..ApiError::default()
            })))
        };
        assert!(is_gone(&Ok(String::new())));
        assert!(is_gone(&api("ITEM_NOT_FOUND")));
        assert!(!is_gone(&api("INVALID_ACCESS_TOKEN")));
        assert!(!is_gone(&api("INVALID_API_KEYS")));
        assert!(!is_gone(&api("USER_PERMISSION_REVOKED")));
        assert!(!is_gone(&Err(PlaidError::Broken)));
    }
}
