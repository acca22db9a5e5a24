//! What exchanges left behind: looked at now and then, and once more before the end, so that no Item stays on the bill
//! unseen.

use std::time::Duration;

use super::exchange::RAW_REPEAT;
use super::flights::{Entry, Owner};
use super::{Connections, Inner};
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How long a token is remembered whose exchange's outcome is unknown; Plaid's public tokens live as long.
const REMEMBER: Duration = RAW_REPEAT;

impl Connections {
    /// Queues the removal of what Plaid gave, the store did not take, and nobody will come back for.
    pub(super) async fn settle(&self) {
        self.0.settle(false).await;
    }

    /// The same for everything that is left: after the end nobody can come back for it, since the tokens are burnt.
    pub async fn settle_all(&self) {
        self.0.settle(true).await;
    }
}

impl Inner {
    async fn settle(&self, all: bool) {
        for (hash, owner, since) in self.flights.kept() {
            match self.is_wanted(&owner, since).await {
                Ok(wanted) if wanted && !all => continue,
                Err(_) if !all => continue,
                _ => {}
            }
            // Whoever comes back at this very moment is the leader, and it is not left over.
            let Entry::Lead(lead) = self.flights.enter(hash, &owner) else {
                continue;
            };
            if let Err(error) = self.discard_kept(hash, &owner, &lead).await {
                tracing::error!(%error, %owner, "an Item that nobody wants could not be queued for removal");
            }
        }
    }

    async fn is_wanted(&self, owner: &Owner, since: Timestamp) -> Result<bool, StoreError> {
        let young = self.clock.now().since(since) < REMEMBER;
        Ok(young
            && match owner {
                Owner::Transaction(id) => self.is_open(*id).await?,
                Owner::Client(_) => true,
            })
    }
}
