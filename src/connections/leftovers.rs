//! What exchanges left behind: looked at now and then, and once more before the end, so that no Item stays on the bill
//! unseen.

use std::time::Duration;

use super::exchange::{LinkResult, RAW_REPEAT};
use super::flights::{Entry, Kept, Lead, Owner};
use super::{Connections, Inner};
use crate::clock::Timestamp;
use crate::random;
use crate::store::StoreError;
use crate::store::model::{GrantId, PublicTokenHash, PublicTokenOwner};

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

    /// An Item that nobody wants any more must not stay on the bill: its removal is queued, durably, and then nothing is
    /// kept of it. What the store did take, though the answer to that was lost, stays.
    pub(super) async fn discard_kept(
        &self,
        public_token: PublicTokenHash,
        owner: &Owner,
        lead: &Lead,
    ) -> Result<(), StoreError> {
        let Some(Kept::Unstored(exchanged)) = lead.kept() else {
            lead.forget();
            return Ok(());
        };
        let now = self.clock.now();
        let connection = self.connection(&exchanged, &LinkResult::default());
        let owner = match owner {
            Owner::Authorization(id) => PublicTokenOwner::Authorization(*id),
            Owner::Client(id) => PublicTokenOwner::Client {
                client_id: id.clone(),
                grant_id: GrantId(random::id(now)),
            },
        };
        let queued = self.store.discard(connection, public_token, owner, now).await?;
        lead.forget();
        if queued {
            tracing::info!(item = %exchanged.item_id, "an Item that nobody wants any more is queued for removal");
        } else {
            tracing::info!(item = %exchanged.item_id, "an Item was stored although the store did not say so");
        }
        Ok(())
    }

    async fn is_wanted(&self, owner: &Owner, since: Timestamp) -> Result<bool, StoreError> {
        let young = self.clock.now().since(since) < REMEMBER;
        Ok(young
            && match owner {
                Owner::Authorization(id) => self.is_open(*id).await?,
                Owner::Client(_) => true,
            })
    }
}
