//! The stored result of a public token's exchange, for a client that sends the token again to this or another instance.

use std::time::Duration;

use super::error::ExchangeError;
use super::singleflight::Leader;
use super::{Inner, PUBLIC_TOKEN_LIFETIME};
use crate::store::StoreError;
use crate::store::model::{
    ConnectionId, GrantId, PublicTokenHash, PublicTokenOwner, PublicTokenRecord, Repeat, RepeatOutcome,
};

/// Pauses between looks at what another instance may be storing, in milliseconds: about three seconds in all, for Plaid's
/// response on its way to that instance and the commit that follows.
const PAUSES: [u64; 7] = [25, 50, 100, 200, 400, 800, 1400];

impl Inner {
    /// The same browser gets the same connection, also when it did not hear of the commit.
    pub(super) async fn repeat_completion(
        &self,
        repeat: Repeat,
        record: &PublicTokenRecord,
        leader: &Leader,
    ) -> Result<ConnectionId, ExchangeError> {
        leader.forget();
        if record.owner != PublicTokenOwner::Authorization(repeat.authorization_id) {
            return Err(ExchangeError::Taken);
        }
        match self.store.repeat(repeat, self.clock.now()).await? {
            RepeatOutcome::Repeated(connection_id) => Ok(connection_id),
            RepeatOutcome::Over => Err(ExchangeError::NotOpen),
        }
    }

    /// A repeat by the same client gets the same, while the token would live and the connection does.
    pub(super) async fn repeat_raw(
        &self,
        client_id: &str,
        record: &PublicTokenRecord,
        leader: &Leader,
    ) -> Result<GrantId, ExchangeError> {
        leader.forget();
        let PublicTokenOwner::Client {
            client_id: owner,
            grant_id,
        } = &record.owner
        else {
            return Err(ExchangeError::Taken);
        };
        if owner != client_id || self.clock.now().since(record.exchanged_at) >= PUBLIC_TOKEN_LIFETIME {
            return Err(ExchangeError::Taken);
        }
        let (grant, connection) = self.store.grant(*grant_id).await?.ok_or(ExchangeError::Taken)?;
        let alive = grant.revoked_at.is_none() && connection.removed_at.is_none();
        alive.then_some(grant.id).ok_or(ExchangeError::Taken)
    }

    /// After an exchange that failed: what another instance on the same store has made of the public token meanwhile.
    /// Plaid accepts a token once, so its refusal may mean that the other instance is about to store the result.
    pub(super) async fn stored_elsewhere(
        &self,
        public_token: PublicTokenHash,
        error: &ExchangeError,
        leader: &mut Leader,
    ) -> Result<Option<PublicTokenRecord>, StoreError> {
        let pauses: &[u64] = match error {
            ExchangeError::Refused(_) | ExchangeError::Lost(_) if self.store.is_shared() => &PAUSES,
            // Closing an authorization and storing its public token are one commit.
            ExchangeError::Refused(_) | ExchangeError::Lost(_) | ExchangeError::NotOpen => &[],
            _ => return Ok(None),
        };
        // Nothing more is asked of Plaid, so others may.
        leader.release_permit();
        for pause in pauses {
            if let Some(record) = self.store.public_token(public_token).await? {
                return Ok(Some(record));
            }
            tokio::time::sleep(Duration::from_millis(*pause)).await;
        }
        self.store.public_token(public_token).await
    }
}
