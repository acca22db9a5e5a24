//! Looking at a store from outside, for checks: nothing is changed, made or locked, and a broker may have it open.

use std::path::PathBuf;
use std::time::Instant;

use uuid::Uuid;

use super::decisions::reseal;
use super::keyring::Keyring;
use super::model::{AllowedRedirectUri, ConnectionId, KeysReport};
use super::rows::access_token_place;
use super::seal::SealError;
use super::tokens::TokenKey;
use super::tx::{Failure, Tx};

/// What looking at a store found.
#[derive(Debug)]
pub struct Inspection {
    /// Makes the tokens of this store.
    pub tokens: TokenKey,
    /// The callbacks that administrators allowed.
    pub allowed: Vec<AllowedRedirectUri>,
    /// How many sealed rows were tried.
    pub rows: u64,
    /// How many of them do not open.
    pub unopened: u64,
    /// Why the first of those does not.
    pub reason: Option<SealError>,
    /// Whether all rows were tried; else time ran out.
    pub whole: bool,
    /// Why a database server would take no writes, as far as that shows without writing.
    pub read_only: Option<&'static str>,
}

impl Inspection {
    /// Of a store whose token key opens; no row was tried yet.
    pub(super) fn new(tokens: TokenKey, allowed: Vec<AllowedRedirectUri>) -> Self {
        Self {
            tokens,
            allowed,
            rows: 0,
            unopened: 0,
            reason: None,
            whole: false,
            read_only: None,
        }
    }

    /// Tries the keys on every connection until then. In short statements, so that the engine can tidy up in between.
    pub(super) async fn look_at_all<T: Tx>(
        &mut self,
        tx: &mut T,
        keyring: &Keyring,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut from = Uuid::nil();
        while !self.whole && Instant::now() < deadline {
            let page = reseal::page(tx, from, reseal::PAGE).await?;
            self.whole = page.is_empty();
            for (id, sealed) in &page {
                from = id.0;
                self.look_at(*id, sealed, keyring);
            }
        }
        Ok(())
    }

    /// Tries the keys on the access token of a connection.
    fn look_at(&mut self, id: ConnectionId, sealed: &[u8], keyring: &Keyring) {
        self.rows += 1;
        if let Err(error) = keyring.open(&access_token_place(id), sealed) {
            self.unopened += 1;
            self.reason.get_or_insert(error);
        }
    }
}

/// What was put back.
#[derive(Debug)]
pub struct Restored {
    /// Connections in it, ended ones included.
    pub connections: u64,
    /// What the keys at hand open of it; `None`: there are none.
    pub keys: Option<KeysReport>,
    /// Where the store that was there before is now.
    pub replaced: Option<PathBuf>,
}
