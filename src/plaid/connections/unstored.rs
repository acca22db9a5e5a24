//! Items that Plaid made and the store did not take: checked at intervals and once more at shutdown, so that no Item is
//! billed unseen.

use super::exchange::LinkResult;
use super::singleflight::{Entry, Kept, Leader, Owner};
use super::{Connections, Inner, PUBLIC_TOKEN_LIFETIME};
use crate::clock::Timestamp;
use crate::random;
use crate::store::StoreError;
use crate::store::model::{GrantId, PublicTokenHash, PublicTokenOwner};

impl Connections {
    /// Queues the removal of Items that the store did not take and that no client will come back for.
    pub(super) async fn settle(&self) {
        self.0.settle(false).await;
    }

    /// The same for all that remain: after shutdown no client can come back, since the public tokens are used up.
    pub async fn settle_all(&self) {
        self.0.settle(true).await;
    }
}

impl Inner {
    async fn settle(&self, all: bool) {
        for (hash, owner, since) in self.singleflight.kept() {
            match self.is_wanted(&owner, since).await {
                Ok(wanted) if wanted && !all => continue,
                Err(_) if !all => continue,
                _ => {}
            }
            // A client that comes back at this moment leads, and its Item is wanted.
            let Entry::Lead(leader) = self.singleflight.enter(hash, &owner) else {
                continue;
            };
            if let Err(error) = self.discard_kept(hash, &owner, &leader).await {
                tracing::error!(%error, %owner, "unused Item not queued for removal");
            }
        }
    }

    /// An unused Item must not stay on the bill: its removal is queued durably, and then nothing is
    /// kept of it. What the store did take, though the answer to that was lost, stays.
    pub(super) async fn discard_kept(
        &self,
        public_token: PublicTokenHash,
        owner: &Owner,
        leader: &Leader,
    ) -> Result<(), StoreError> {
        let Some(Kept::Unstored(exchanged)) = leader.kept() else {
            leader.forget();
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
        leader.forget();
        if queued {
            tracing::info!(item = %exchanged.item_id, "unused Item queued for removal");
        } else {
            tracing::info!(item = %exchanged.item_id, "Item was stored although the store had reported an error");
        }
        Ok(())
    }

    async fn is_wanted(&self, owner: &Owner, since: Timestamp) -> Result<bool, StoreError> {
        let young = self.clock.now().since(since) < PUBLIC_TOKEN_LIFETIME;
        Ok(young
            && match owner {
                Owner::Authorization(id) => self.is_open(*id).await?,
                Owner::Client(_) => true,
            })
    }
}
