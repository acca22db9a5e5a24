//! The store in one `SQLite` file: nothing to install, one writer, look-ups beside it.

mod audit;
mod backup;
mod connections;
mod counts;
mod grants;
mod inspect;
mod listing;
mod migrations;
mod open;
mod operator;
mod readers;
mod redirects;
mod removals;
mod reseal;
pub(super) mod restore;
mod rows;
#[cfg(test)]
mod tests;
mod token_index;
mod transactions;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection as Sqlite;

use self::readers::Readers;
use self::writer::Writer;
use super::Durability;
use super::counted::Counted;
use super::error::{OpenError, StoreError};
use super::inspection::Inspection;
use super::keyring::Keyring;
use super::model::{
    Abandonment, Account, AuditEvent, CancelOutcome, CompleteOutcome, Completion, Connection, ConnectionId,
    Grant, GrantId, LinkStart, NewConnection, NewTransaction, PublicTokenHash, PublicTokenOwner,
    PublicTokenRecord, RawExchange, RawExchangeOutcome, RedeemOutcome, Redemption, Repeat, RepeatOutcome,
    Revocation, RevokeOutcome, RotateOutcome, Rotation, TakenRemovals, Transaction, TransactionId,
};
use super::sealed::{Completing, SealedConnection};
use super::tokens::TokenKey;
use super::trail::Trail;
use crate::CommitObserver;
use crate::clock::Timestamp;
use crate::config::KeySource;

/// An open `SQLite` store.
#[derive(Debug)]
pub(super) struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// For what may read every row: operators' lists, searches and counts. Requests never wait for these.
    listers: Readers,
    keyring: Arc<Keyring>,
    tokens: TokenKey,
    counted: Counted,
    path: PathBuf,
    account: Account,
}

impl SqliteStore {
    pub(super) async fn open(
        path: PathBuf,
        keys: KeySource,
        account: Account,
        durability: Durability,
    ) -> Result<Self, OpenError> {
        let stopped = {
            let store = open::named(&path);
            move |_| OpenError::Store {
                store,
                source: StoreError::Unavailable("opening it was stopped"),
            }
        };
        let kept = (path.clone(), account.clone());
        let task = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || open::open(&path, &keys, &account, durability))
        };
        let opened = task.await.map_err(stopped)??;
        let no_thread = |_| OpenError::Store {
            store: open::named(&path),
            source: StoreError::Unavailable("no thread for its writer"),
        };
        Ok(Self {
            writer: Writer::start(opened.held).map_err(no_thread)?,
            readers: Readers::new(opened.readers),
            listers: Readers::new(opened.listers),
            keyring: Arc::new(opened.keyring),
            tokens: opened.tokens,
            counted: Counted::default(),
            path: kept.0,
            account: kept.1,
        })
    }

    /// See [`Store::inspect`](super::Store::inspect).
    pub(super) async fn inspect(
        path: PathBuf,
        keys: KeySource,
        account: Account,
        patience: Duration,
    ) -> Result<Option<Inspection>, OpenError> {
        let stopped = {
            let store = open::named(&path);
            move |_| OpenError::Store {
                store,
                source: StoreError::Unavailable("looking at it was stopped"),
            }
        };
        let task = tokio::task::spawn_blocking(move || inspect::inspect(&path, &keys, &account, patience));
        task.await.map_err(stopped)?
    }

    /// See [`Store::is_in_use`](super::Store::is_in_use).
    pub(super) fn is_in_use(path: &Path) -> bool {
        inspect::is_in_use(path)
    }

    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.writer.observed_by(observer);
    }

    pub(super) fn tokens(&self) -> &TokenKey {
        &self.tokens
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring)
    }

    pub(super) async fn start_link(
        &self,
        new: NewTransaction,
        most: u32,
        trail: Trail,
    ) -> Result<LinkStart, StoreError> {
        self.writer
            .decide(move |conn| transactions::start_link(conn, &new, most, &trail))
            .await
    }

    pub(super) async fn return_link_token(&self, id: TransactionId) -> Result<(), StoreError> {
        self.writer
            .decide(move |conn| transactions::return_link_token(conn, id))
            .await
    }

    pub(super) async fn transaction(&self, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
        self.readers.read(move |conn| transactions::find(conn, id)).await
    }

    pub(super) async fn complete(
        &self,
        completion: Completion,
        trail: Trail,
    ) -> Result<CompleteOutcome, StoreError> {
        let (completing, sealed) = Completing::of(completion, &self.keyring, &self.tokens, trail.now)?;
        self.writer
            .decide(move |conn| transactions::complete(conn, completing, &sealed, &trail))
            .await
    }

    pub(super) async fn cancel(
        &self,
        new: NewTransaction,
        trail: Trail,
    ) -> Result<CancelOutcome, StoreError> {
        self.writer
            .decide(move |conn| transactions::cancel(conn, &new, &trail))
            .await
    }

    pub(super) async fn redeem(
        &self,
        redemption: Redemption,
        trail: Trail,
    ) -> Result<RedeemOutcome, StoreError> {
        let keyring = Arc::clone(&self.keyring);
        self.writer
            .decide(move |conn| transactions::redeem(conn, &keyring, &redemption, &trail))
            .await
    }

    pub(super) async fn repeat(&self, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
        self.writer
            .decide(move |conn| transactions::repeat(conn, repeat, now))
            .await
    }

    pub(super) async fn abandon(&self, abandonment: Abandonment, trail: Trail) -> Result<u64, StoreError> {
        self.writer
            .decide(move |conn| removals::abandon(conn, abandonment, &trail))
            .await
    }

    pub(super) async fn discard(
        &self,
        connection: NewConnection,
        public_token: PublicTokenHash,
        owner: PublicTokenOwner,
        trail: Trail,
    ) -> Result<bool, StoreError> {
        let sealed = SealedConnection::of(connection, &self.keyring, &self.tokens)?;
        self.writer
            .decide(move |conn| removals::discard(conn, &sealed, public_token, &owner, &trail))
            .await
    }

    pub(super) async fn exchange_raw(
        &self,
        exchange: RawExchange,
        trail: Trail,
    ) -> Result<RawExchangeOutcome, StoreError> {
        let RawExchange {
            public_token,
            connection,
            grant,
        } = exchange;
        let sealed = SealedConnection::of(connection, &self.keyring, &self.tokens)?;
        self.writer
            .decide(move |conn| connections::exchange_raw(conn, public_token, &sealed, &grant, &trail))
            .await
    }

    pub(super) async fn public_token(
        &self,
        hash: PublicTokenHash,
    ) -> Result<Option<PublicTokenRecord>, StoreError> {
        self.readers
            .read(move |conn| connections::find_public_token(conn, hash))
            .await
    }

    pub(super) async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let keyring = Arc::clone(&self.keyring);
        self.readers
            .read(move |conn| connections::find(conn, &keyring, id))
            .await
    }

    pub(super) async fn grant(&self, id: GrantId) -> Result<Option<(Grant, Connection)>, StoreError> {
        let keyring = Arc::clone(&self.keyring);
        self.readers
            .read(move |conn| connections::find_grant(conn, &keyring, id))
            .await
    }

    pub(super) async fn rotate(&self, rotation: Rotation, trail: Trail) -> Result<RotateOutcome, StoreError> {
        self.writer
            .decide(move |conn| grants::rotate(conn, rotation, &trail))
            .await
    }

    pub(super) async fn revoke(
        &self,
        id: GrantId,
        revocation: Revocation,
        trail: Trail,
    ) -> Result<RevokeOutcome, StoreError> {
        self.writer
            .decide(move |conn| grants::revoke(conn, id, revocation, &trail))
            .await
    }

    pub(super) async fn take_removals(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<TakenRemovals, StoreError> {
        let keyring = Arc::clone(&self.keyring);
        self.writer
            .decide(move |conn| removals::take(conn, &keyring, now, until, limit))
            .await
    }

    pub(super) async fn finish_removal(
        &self,
        id: ConnectionId,
        event: AuditEvent,
        trail: Trail,
    ) -> Result<(), StoreError> {
        self.writer
            .decide(move |conn| removals::finish(conn, id, event, &trail))
            .await
    }

    pub(super) async fn postpone_removal(
        &self,
        id: ConnectionId,
        next_try: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .decide(move |conn| removals::postpone(conn, id, next_try))
            .await
    }

    pub(super) async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .decide(move |conn| removals::purge(conn, before))
            .await
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let written: Vec<u8> = self.writer.decide(write_probe).await?;
        let keyring = Arc::clone(&self.keyring);
        let read = self
            .readers
            .read(move |conn| {
                open::token_key(conn, &keyring)?;
                read_probe(conn)
            })
            .await?;
        // Another check may have written meanwhile; that both could write and this one read is what was asked.
        if read.len() == written.len() {
            Ok(())
        } else {
            Err(StoreError::Corrupt("what was written is not read"))
        }
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.listers.close().await;
        self.writer.close().await;
    }
}

fn write_probe(conn: &Sqlite) -> Result<Vec<u8>, StoreError> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES ('probe', randomblob(8)) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn read_probe(conn: &Sqlite) -> Result<Vec<u8>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'probe'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
