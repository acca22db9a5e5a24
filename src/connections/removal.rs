//! The removal queue's worker: connections whose code nobody redeemed are abandoned, and what is queued is removed
//! at Plaid. The wish is on disk; it ends only when Plaid confirms, or says that the Item is gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Connections;
use crate::plaid::{PlaidError, Verdict};
use crate::store::StoreError;
use crate::store::model::Removal;

/// How often the queue is looked at.
const EVERY: Duration = Duration::from_secs(30);
/// How many removals are tried at one look.
const BATCH: usize = 20;
/// The first pause after a failed try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// How long finished transactions are remembered, so that a late repeat still gets a clear answer.
const REMEMBER: Duration = Duration::from_secs(24 * 3600);

/// Runs until it is stopped.
pub struct RemovalWorker {
    connections: Connections,
    unredeemed_ttl: Duration,
}

impl RemovalWorker {
    /// `unredeemed_ttl`: how long a code may wait until its connection is abandoned.
    #[must_use]
    pub fn new(connections: Connections, unredeemed_ttl: Duration) -> Self {
        Self {
            connections,
            unredeemed_ttl,
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
            }
        }
    }

    /// One look: abandon, forget, remove. Gives how many Items were removed.
    pub async fn look(&self) -> Result<usize, StoreError> {
        let inner = &self.connections.0;
        let now = inner.clock.now();
        let abandoned = inner.store.abandon(now.minus(self.unredeemed_ttl), now).await?;
        if abandoned > 0 {
            tracing::info!(
                abandoned,
                "connections whose code nobody redeemed are queued for removal"
            );
        }
        inner.store.purge(now.minus(REMEMBER)).await?;
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
            let answer = inner.plaid.item_remove(&connection.access_token).await;
            if is_gone(&answer) {
                inner
                    .store
                    .finish_removal(connection.id, inner.clock.now())
                    .await?;
                tracing::info!(connection = %connection.id, item = %connection.item_id, "Item removed at Plaid");
                return Ok(true);
            }
            let next_try = inner.clock.now().plus(pause(removal.attempts));
            inner.store.postpone_removal(connection.id, next_try).await?;
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
            error.verdict() == Verdict::Gone && error.error_code != "USER_PERMISSION_REVOKED"
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
        assert!(!is_gone(&Err(PlaidError::Broken)));
    }
}
