//! The store in a `PostgreSQL` database, which several instances of the broker may share.
//!
//! Each decision is one transaction (READ COMMITTED). One instance does not know of the others: what one of several may
//! win is decided by a row's lock, a conditional write or a unique index, and never by what was read before.

mod audit;
mod connect;
mod connections;
mod counts;
mod failure;
mod grants;
mod inspect;
mod listing;
mod meta;
mod migrations;
mod open;
mod operator;
mod pool;
mod redirects;
mod removals;
mod reseal;
mod rows;
#[cfg(all(test, unix))]
mod tests;
mod tls;
mod token_index;
mod transactions;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::pool::Pool;
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
use crate::config::{KeySource, PostgresUrl};

/// After which time a redemption is asked for again when nobody knows whether it was committed.
const REDEEM_AGAIN: Duration = Duration::from_secs(1);
/// Not when that took longer: its caller does not wait for twice as much.
const REDEEM_SOON: Duration = Duration::from_secs(5);

/// An open `PostgreSQL` store.
#[derive(Debug)]
pub(super) struct PostgresStore {
    pool: Pool,
    keyring: Arc<Keyring>,
    tokens: TokenKey,
    counted: Counted,
    account: Account,
}

impl PostgresStore {
    pub(super) async fn open(
        url: PostgresUrl,
        keys: KeySource,
        account: Account,
        durability: Durability,
    ) -> Result<Self, OpenError> {
        let opened = open::open(url, &keys, &account, durability).await?;
        Ok(Self {
            pool: opened.pool,
            keyring: opened.keyring,
            tokens: opened.tokens,
            counted: Counted::default(),
            account,
        })
    }

    /// See [`Store::inspect`](super::Store::inspect).
    pub(super) async fn inspect(
        url: PostgresUrl,
        keys: KeySource,
        account: Account,
        patience: Duration,
    ) -> Result<Option<Inspection>, OpenError> {
        inspect::inspect(url, &keys, account, patience).await
    }

    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.pool.observed_by(observer);
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
        self.pool
            .decide((new, most, trail), |conn, (new, most, trail)| {
                Box::pin(transactions::start_link(conn, new, *most, trail))
            })
            .await
    }

    pub(super) async fn return_link_token(&self, id: TransactionId) -> Result<(), StoreError> {
        self.pool
            .decide(id, |conn, id| {
                Box::pin(transactions::return_link_token(conn, *id))
            })
            .await
    }

    pub(super) async fn transaction(&self, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
        self.pool
            .read(id, |conn, id| Box::pin(transactions::find(conn, *id)))
            .await
    }

    pub(super) async fn complete(
        &self,
        completion: Completion,
        trail: Trail,
    ) -> Result<CompleteOutcome, StoreError> {
        let (completing, sealed) = Completing::of(completion, &self.keyring, &self.tokens, trail.now)?;
        self.pool
            .decide(
                (completing, sealed, trail),
                |conn, (completing, sealed, trail)| {
                    Box::pin(transactions::complete(conn, *completing, sealed, trail))
                },
            )
            .await
    }

    pub(super) async fn cancel(
        &self,
        new: NewTransaction,
        trail: Trail,
    ) -> Result<CancelOutcome, StoreError> {
        self.pool
            .decide((new, trail), |conn, (new, trail)| {
                Box::pin(transactions::cancel(conn, new, trail))
            })
            .await
    }

    pub(super) async fn redeem(
        &self,
        redemption: Redemption,
        trail: Trail,
    ) -> Result<RedeemOutcome, StoreError> {
        let input = Arc::new((Arc::clone(&self.keyring), redemption, trail));
        let ask = || {
            self.pool.decide(Arc::clone(&input), |conn, input| {
                let (keyring, redemption, trail) = &**input;
                Box::pin(transactions::redeem(conn, keyring, redemption, trail))
            })
        };
        let began = Instant::now();
        match ask().await {
            // Its commit may stand: a client that asks again with the same code would be taken for a thief.
            Err(StoreError::Unavailable(_)) if began.elapsed() < REDEEM_SOON => {
                tokio::time::sleep(REDEEM_AGAIN).await;
                ask().await
            }
            answered => answered,
        }
    }

    pub(super) async fn repeat(&self, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
        self.pool
            .decide((repeat, now), |conn, (repeat, now)| {
                Box::pin(transactions::repeat(conn, repeat, *now))
            })
            .await
    }

    pub(super) async fn abandon(&self, abandonment: Abandonment, trail: Trail) -> Result<u64, StoreError> {
        self.pool
            .decide((abandonment, trail), |conn, (abandonment, trail)| {
                Box::pin(removals::abandon(conn, *abandonment, trail))
            })
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
        let input = (sealed, public_token, owner, trail);
        self.pool
            .decide(input, |conn, (sealed, public_token, owner, trail)| {
                Box::pin(removals::discard(conn, sealed, *public_token, owner, trail))
            })
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
        let input = (public_token, sealed, grant, trail);
        self.pool
            .decide(input, |conn, (public_token, sealed, grant, trail)| {
                Box::pin(connections::exchange_raw(
                    conn,
                    *public_token,
                    sealed,
                    grant,
                    trail,
                ))
            })
            .await
    }

    pub(super) async fn public_token(
        &self,
        hash: PublicTokenHash,
    ) -> Result<Option<PublicTokenRecord>, StoreError> {
        self.pool
            .read(hash, |conn, hash| {
                Box::pin(connections::find_public_token(conn, *hash))
            })
            .await
    }

    pub(super) async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.pool
            .read((Arc::clone(&self.keyring), id), |conn, (keyring, id)| {
                Box::pin(connections::find(conn, keyring, *id))
            })
            .await
    }

    pub(super) async fn grant(&self, id: GrantId) -> Result<Option<(Grant, Connection)>, StoreError> {
        self.pool
            .read((Arc::clone(&self.keyring), id), |conn, (keyring, id)| {
                Box::pin(connections::find_grant(conn, keyring, *id))
            })
            .await
    }

    pub(super) async fn rotate(&self, rotation: Rotation, trail: Trail) -> Result<RotateOutcome, StoreError> {
        self.pool
            .decide((rotation, trail), |conn, (rotation, trail)| {
                Box::pin(grants::rotate(conn, *rotation, trail))
            })
            .await
    }

    pub(super) async fn revoke(
        &self,
        id: GrantId,
        revocation: Revocation,
        trail: Trail,
    ) -> Result<RevokeOutcome, StoreError> {
        self.pool
            .decide((id, revocation, trail), |conn, (id, revocation, trail)| {
                Box::pin(grants::revoke(conn, *id, *revocation, trail))
            })
            .await
    }

    pub(super) async fn take_removals(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<TakenRemovals, StoreError> {
        let input = (Arc::clone(&self.keyring), now, until, limit);
        self.pool
            .decide(input, |conn, (keyring, now, until, limit)| {
                Box::pin(removals::take(conn, keyring, *now, *until, *limit))
            })
            .await
    }

    pub(super) async fn finish_removal(
        &self,
        id: ConnectionId,
        event: AuditEvent,
        trail: Trail,
    ) -> Result<(), StoreError> {
        self.pool
            .decide((id, event, trail), |conn, (id, event, trail)| {
                Box::pin(removals::finish(conn, *id, *event, trail))
            })
            .await
    }

    pub(super) async fn postpone_removal(
        &self,
        id: ConnectionId,
        next_try: Timestamp,
    ) -> Result<(), StoreError> {
        self.pool
            .decide((id, next_try), |conn, (id, next_try)| {
                Box::pin(removals::postpone(conn, *id, *next_try))
            })
            .await
    }

    pub(super) async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.pool
            .decide(before, |conn, before| Box::pin(removals::purge(conn, *before)))
            .await
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let probe: [u8; 8] = rand::random();
        self.pool
            .decide(probe, |conn, probe| {
                Box::pin(async move { meta::set(conn, "probe", probe).await })
            })
            .await?;
        let (sealed, read) = self
            .pool
            .read((), |conn, ()| {
                Box::pin(async move {
                    let sealed = meta::get(conn, "token_key").await?;
                    Ok((sealed, meta::get(conn, "probe").await?))
                })
            })
            .await?;
        TokenKey::open(&self.keyring, sealed.as_deref())?;
        // Another check may have written meanwhile; that both could write and this one read is what was asked.
        if read.is_some_and(|read| read.len() == probe.len()) {
            Ok(())
        } else {
            Err(StoreError::Corrupt("what was written is not read"))
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
