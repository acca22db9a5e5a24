//! What was handed in, on its way to the disk: sealed before it waits for anything.

use super::error::StoreError;
use super::keyring::Keyring;
use super::model::{ConnectionId, NewConnection};
use super::rows;
use super::tokens::{AccessTokenHash, TokenKey};

/// A new connection with its access token sealed.
#[derive(Debug)]
pub(super) struct SealedConnection {
    pub(super) new: NewConnection,
    pub(super) access_token: Vec<u8>,
    pub(super) access_token_hash: AccessTokenHash,
}

impl SealedConnection {
    /// Seals the access token for the connection's row, and hashes it for the index.
    pub(super) fn of(new: NewConnection, keyring: &Keyring, tokens: &TokenKey) -> Result<Self, StoreError> {
        let place = rows::access_token_place(new.id);
        let access_token = keyring.seal(&place, new.access_token.expose().as_bytes())?;
        let access_token_hash = tokens.hash_access_token(&new.access_token);
        Ok(Self {
            new,
            access_token,
            access_token_hash,
        })
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.new.id
    }
}
