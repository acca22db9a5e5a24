//! The index from Plaid's access tokens to connections: what is asked of it, and adding the connections of earlier versions.
//!
//! Each new connection is added in its own commit. Older ones are added in chunks, in the order of their ids: a chunk and
//! how far it came are one commit, so that the pass goes on where it was stopped. Until it is done, a connection that is
//! not found may exist: no token is answered as unknown, no grant is revoked by a token, and no Item is removed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::StoreError;
use super::keyring::Keyring;
use super::model::{Connection, ConnectionId};
use super::seal::SealError;
use super::tokens::{AccessTokenHash, TokenKey};
use super::{Store, rows};
use crate::secret::PlaidAccessToken;

/// The key of the progress in `meta`.
pub(super) const PROGRESS: &str = "access_tokens";
/// Connections that one commit adds.
const CHUNK: usize = 200;
/// Leaves the disk to others between two commits.
const PAUSE: Duration = Duration::from_millis(5);
/// When to look again after a failure, or at what another instance is doing.
const RETRY: Duration = Duration::from_secs(5);

const INCOMPLETE: StoreError = StoreError::Unavailable(
    "the access tokens of connections from an earlier version are still being indexed",
);

/// What the caller of a search needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// Whatever is in the index, and at least one grant while it is incomplete.
    Any,
    /// Every grant of the token.
    All,
}

/// Whether another connection that is not ended has the same Item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemUse {
    Elsewhere,
    Here,
    /// None was found, but connections of an earlier version are still being added to the index.
    NotKnownYet,
}

/// How far the pass has come. In `meta`: whether it is done, whether a key was missing, and the last id, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) is_done: bool,
    key_missing: bool,
    pub(super) after: Uuid,
}

impl Progress {
    pub(super) fn read(value: Option<&[u8]>) -> Result<Self, StoreError> {
        let damaged = StoreError::Corrupt("the progress of the access token index is not readable");
        let Some((&[is_done, key_missing], id)) = value.and_then(<[u8]>::split_first_chunk) else {
            return Err(damaged);
        };
        Ok(Self {
            is_done: is_done == 1,
            key_missing: key_missing == 1,
            after: Uuid::from_slice(id).unwrap_or_default(),
        })
    }

    /// What it means that no other connection was found. Where the pass ended because a key is missing, waiting does not help:
    /// it ends the same way until the key is given.
    pub(super) fn nothing_found(self) -> ItemUse {
        if self.is_done || self.ended_without_a_key() {
            ItemUse::Here
        } else {
            ItemUse::NotKnownYet
        }
    }

    /// While a pass runs, what was missing is noted together with the last id.
    fn ended_without_a_key(self) -> bool {
        self.key_missing && self.after.is_nil()
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.is_done), u8::from(self.key_missing)];
        bytes.extend_from_slice(self.after.as_bytes());
        bytes
    }
}

/// What one commit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    /// Another instance has the pass in hand.
    Elsewhere,
    /// All connections are in the index.
    Done,
    /// The end was reached, but some tokens are sealed with a key that is missing: the next pass starts over.
    KeyMissing,
}

/// The hashes of a page of connections, and how far the pass has come with it.
pub(super) fn hashed(
    progress: Progress,
    page: &[(ConnectionId, Vec<u8>)],
    limit: usize,
    keyring: &Keyring,
    tokens: &TokenKey,
) -> (Vec<(AccessTokenHash, ConnectionId)>, Progress, Step) {
    let mut hashes = Vec::new();
    let mut key_missing = progress.key_missing && !progress.ended_without_a_key();
    for (id, sealed) in page {
        match keyring.open(&rows::access_token_place(*id), sealed) {
            Ok(plain) => {
                let text = String::from_utf8_lossy(&plain);
                hashes.push((tokens.hash_access_token(&PlaidAccessToken::new(text)), *id));
            }
            Err(error) => {
                key_missing |= matches!(error, SealError::UnknownKey(_));
                tracing::error!(connection = %id, %error, "an access token could not be indexed");
            }
        }
    }
    let last = page.last().map(|(id, _)| id.0);
    if page.len() == limit {
        let after = last.unwrap_or(progress.after);
        let progress = Progress {
            is_done: false,
            key_missing,
            after,
        };
        return (hashes, progress, Step::Next);
    }
    let progress = Progress {
        is_done: !key_missing,
        key_missing,
        after: Uuid::nil(),
    };
    let step = if key_missing { Step::KeyMissing } else { Step::Done };
    (hashes, progress, step)
}

/// Of the rows that the hash found, those of this very token. Only when all connections are in the index is it known that
/// there are no others.
pub(super) fn matching<T>(
    mut found: Vec<(T, Connection)>,
    token: &PlaidAccessToken,
    progress: Option<&[u8]>,
    needed: Needed,
) -> Result<Vec<(T, Connection)>, StoreError> {
    found.retain(|(_, connection)| connection.access_token.matches(token.expose()));
    if (found.is_empty() || needed == Needed::All) && !Progress::read(progress)?.is_done {
        return Err(INCOMPLETE);
    }
    Ok(found)
}

impl Store {
    /// Adds the connections of an earlier version to the index, until all are there or `stop` is cancelled.
    pub async fn index_access_tokens(self, stop: CancellationToken) {
        loop {
            let pause = match self.index_step(CHUNK).await {
                Ok(Step::Next) => PAUSE,
                Ok(Step::Elsewhere) => RETRY,
                Ok(Step::Done) => return,
                Ok(Step::KeyMissing) => {
                    tracing::error!(
                        "some access tokens are sealed with a key that was not given: these cannot be introspected, and \
                         no access token can be revoked; add the key to BROKER_KEYS and restart"
                    );
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "access tokens were not indexed; trying again");
                    RETRY
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn progress_reads_back_as_it_was_written() {
        let progress = Progress {
            is_done: false,
            key_missing: true,
            after: Uuid::from_u128(7),
        };
        assert_eq!(Progress::read(Some(&progress.bytes())).unwrap(), progress);
        // As the migration writes it, with and without older connections.
        assert_eq!(Progress::read(Some(&[0, 0])).unwrap(), Progress::default());
        assert!(Progress::read(Some(&[1, 0])).unwrap().is_done);
        assert!(Progress::read(None).is_err() && Progress::read(Some(&[1])).is_err());
    }
}
