#![doc = include_str!("../README.md")]
#![expect(missing_docs, reason = "a doc comment says what a name cannot")]

#[cfg(test)]
extern crate self as plaid_token_broker_store;

mod claim;
pub mod config;
mod counted;
pub mod error;
mod files;
#[cfg(test)]
#[expect(
    dead_code,
    clippy::panic,
    clippy::unwrap_used,
    reason = "most are for the suites; tests fail by panicking"
)]
#[path = "../tests/store/helpers/mod.rs"]
mod helpers;
mod inspection;
pub mod keyring;
pub mod model;
mod operator;
mod postgres;
mod postgres_url;
mod reseal;
mod rows;
mod rules;
pub mod seal;
mod sealed;
mod sqlite;
pub mod token_index;
pub mod tokens;
mod trail;

use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker_core::{clock, random, secret};

use self::clock::Timestamp;
use self::config::{DatabaseUrl, StoreConfig};
pub use self::error::{BackupError, OpenError, StoreError};
pub use self::inspection::{Inspection, Restored};
use self::keyring::Keyring;
use self::model::{
    Abandonment, Account, AuditEvent, CancelOutcome, CompleteOutcome, Completion, Connection, ConnectionId,
    Grant, GrantId, LinkStart, NewConnection, NewTransaction, Origin, PublicTokenHash, PublicTokenOwner,
    PublicTokenRecord, RawExchange, RawExchangeOutcome, RedeemOutcome, Redemption, Repeat, RepeatOutcome,
    Revocation, RevokeOutcome, RotateOutcome, Rotation, TakenRemovals, Transaction, TransactionId,
};
use self::postgres::PostgresStore;
use self::sqlite::SqliteStore;
use self::tokens::TokenKey;
pub use self::tokens::{PresentedToken, TokenKind};
use self::trail::Trail;

/// Whether an answer waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Each commit is synced before it is answered.
    #[default]
    Full,
    /// Nothing is synced: for the test that shows that its instrument sees the difference.
    Off,
}

/// Is called after each commit that was tried, on the thread or task that made it.
pub trait CommitObserver: std::fmt::Debug + Send + Sync {
    /// `decisions` shared the commit, which took that long, its sync to the disk included.
    fn committed(&self, decisions: usize, ok: bool, after: Duration);
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Where it is and what seals it.
    pub config: StoreConfig,
    /// Whose it is, or becomes when it is new.
    pub account: Account,
    /// [`Durability::Full`] for everything but a test.
    pub durability: Durability,
}

/// An open store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    /// Where decisions through this clone come from, for the audit log.
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

/// Rows of the audit log that one decision forgets: others are waiting.
const FORGOTTEN_AT_ONCE: usize = 1000;
/// Connections or transactions that one commit ends, abandons or purges at most: other decisions wait for it, and for
/// its page writes.
const CHANGED_AT_ONCE: i64 = 100;

impl Store {
    /// Opens the store, or makes it with the directories above it (for their owner only), and migrates it.
    pub async fn open(options: OpenOptions) -> Result<Self, OpenError> {
        let OpenOptions {
            config,
            account,
            durability,
        } = options;
        let engine = match config.database {
            DatabaseUrl::Sqlite(path) => {
                let store = SqliteStore::open(path, config.keys, account, durability).await?;
                Engine::Sqlite(Arc::new(store))
            }
            DatabaseUrl::Postgres(url) => {
                let opening = PostgresStore::open(*url, config.keys, account, durability);
                let store = Box::pin(opening).await?;
                Engine::Postgres(Arc::new(store))
            }
        };
        Ok(Self {
            engine,
            origin: Origin::default(),
        })
    }

    /// Looks at a store from outside, while a broker may have it open: whose it is, and whether the keys open all that is
    /// sealed in it, as far as `patience` reaches. `None`: there is none yet. Nothing is changed or made.
    ///
    /// # Errors
    /// Why a broker with these settings would not open it.
    pub async fn inspect(
        config: StoreConfig,
        account: Account,
        patience: Duration,
    ) -> Result<Option<Inspection>, OpenError> {
        match config.database {
            DatabaseUrl::Sqlite(path) => SqliteStore::inspect(path, config.keys, account, patience).await,
            DatabaseUrl::Postgres(url) => {
                Box::pin(PostgresStore::inspect(*url, config.keys, account, patience)).await
            }
        }
    }

    /// Whether a process has this store open, and others have to wait until it ends. `PostgreSQL` lets everybody in.
    #[must_use]
    pub fn is_in_use(config: &StoreConfig) -> bool {
        match &config.database {
            DatabaseUrl::Sqlite(path) => SqliteStore::is_in_use(path),
            DatabaseUrl::Postgres(_) => false,
        }
    }

    /// Whether other instances may have it open at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// The same store for decisions that come from there: the audit log tells it.
    #[must_use]
    pub fn by(&self, origin: Origin) -> Self {
        Self {
            engine: self.engine.clone(),
            origin,
        }
    }

    fn trail(&self, now: Timestamp) -> Trail {
        Trail::new(now, self.origin.clone())
    }

    /// Reports each commit from now on. A second call changes nothing.
    pub fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        match &self.engine {
            Engine::Sqlite(store) => store.observed_by(observer),
            Engine::Postgres(store) => store.observed_by(observer),
        }
    }

    /// Makes and recognises tokens of our own; they are this store's and no other's.
    #[must_use]
    pub fn tokens(&self) -> &TokenKey {
        match &self.engine {
            Engine::Sqlite(store) => store.tokens(),
            Engine::Postgres(store) => store.tokens(),
        }
    }

    /// The keys that seal and open.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        match &self.engine {
            Engine::Sqlite(store) => store.keyring(),
            Engine::Postgres(store) => store.keyring(),
        }
    }

    /// Counts a link token that is about to be made, of which one transaction gets `most`. The first one stores the
    /// transaction; repeated and concurrent calls store it once.
    pub async fn start_link(
        &self,
        new: NewTransaction,
        most: u32,
        now: Timestamp,
    ) -> Result<LinkStart, StoreError> {
        if now >= new.expires_at {
            return Ok(LinkStart::NotOpen);
        }
        match &self.engine {
            Engine::Sqlite(store) => store.start_link(new, most, self.trail(now)).await,
            Engine::Postgres(store) => store.start_link(new, most, self.trail(now)).await,
        }
    }

    /// Uncounts a link token that [`start_link`](Self::start_link) counted and Plaid did not make, except the first one.
    pub async fn return_link_token(&self, id: TransactionId) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.return_link_token(id).await,
            Engine::Postgres(store) => store.return_link_token(id).await,
        }
    }

    /// The transaction as it stands.
    pub async fn transaction(&self, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.transaction(id).await,
            Engine::Postgres(store) => store.transaction(id).await,
        }
    }

    /// Link succeeded: stores connection, public token and code in one commit. A transaction whose `expires_at` is
    /// reached is not open any more.
    pub async fn complete(
        &self,
        completion: Completion,
        now: Timestamp,
    ) -> Result<CompleteOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.complete(completion, self.trail(now)).await,
            Engine::Postgres(store) => store.complete(completion, self.trail(now)).await,
        }
    }

    /// The person cancelled for good. A stored transaction can also be cancelled after `expires_at`, as the client still
    /// waits for its answer. Before `expires_at`, one that is not stored yet is stored as cancelled, so that it cannot be
    /// started afterwards.
    pub async fn cancel(&self, new: NewTransaction, now: Timestamp) -> Result<CancelOutcome, StoreError> {
        let new = new.without_request_details();
        match &self.engine {
            Engine::Sqlite(store) => store.cancel(new, self.trail(now)).await,
            Engine::Postgres(store) => store.cancel(new, self.trail(now)).await,
        }
    }

    /// Consumes the code and stores the grant; exactly one caller wins. From `code_expires_at` on nobody does. The winner may
    /// ask again with the same grant, when it did not hear of its commit, and has won still.
    pub async fn redeem(&self, redemption: Redemption, now: Timestamp) -> Result<RedeemOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.redeem(redemption, self.trail(now)).await,
            Engine::Postgres(store) => store.redeem(redemption, self.trail(now)).await,
        }
    }

    /// The browser asks again for the answer of its completion. A code that ran out unredeemed is made good again: only
    /// the browser that completed the transaction can ask.
    pub async fn repeat(&self, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.repeat(repeat, now).await,
            Engine::Postgres(store) => store.repeat(repeat, now).await,
        }
    }

    /// Abandons what was completed before those moments and not used since; the removal of its connections is queued in
    /// the same commit. One call abandons a bounded number and returns it: repeat until it is zero.
    pub async fn abandon(&self, abandonment: Abandonment, now: Timestamp) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.abandon(abandonment, self.trail(now)).await,
            Engine::Postgres(store) => store.abandon(abandonment, self.trail(now)).await,
        }
    }

    /// Stores a connection that nobody wants any more, with its removal queued in the same commit. Gives whether it did:
    /// a public token whose connection is stored already is somebody's, though its caller may not have heard of the
    /// commit, and then nothing changes.
    pub async fn discard(
        &self,
        connection: NewConnection,
        public_token: PublicTokenHash,
        owner: PublicTokenOwner,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let trail = self.trail(now);
        match &self.engine {
            Engine::Sqlite(store) => store.discard(connection, public_token, owner, trail).await,
            Engine::Postgres(store) => store.discard(connection, public_token, owner, trail).await,
        }
    }

    /// A client brought a raw public token: stores connection, public token and grant in one commit.
    pub async fn exchange_raw(
        &self,
        exchange: RawExchange,
        now: Timestamp,
    ) -> Result<RawExchangeOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.exchange_raw(exchange, self.trail(now)).await,
            Engine::Postgres(store) => store.exchange_raw(exchange, self.trail(now)).await,
        }
    }

    /// What became of a public token.
    pub async fn public_token(&self, hash: PublicTokenHash) -> Result<Option<PublicTokenRecord>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.public_token(hash).await,
            Engine::Postgres(store) => store.public_token(hash).await,
        }
    }

    /// The connection as it stands, also when it is removed.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.connection(id).await,
            Engine::Postgres(store) => store.connection(id).await,
        }
    }

    /// The grant as it stands, also when it is revoked, with its connection.
    pub async fn grant(&self, id: GrantId) -> Result<Option<(Grant, Connection)>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.grant(id).await,
            Engine::Postgres(store) => store.grant(id).await,
        }
    }

    /// Replaces the refresh token of a public client by its one successor (RFC 9700 4.14.2).
    pub async fn rotate(&self, rotation: Rotation, now: Timestamp) -> Result<RotateOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.rotate(rotation, self.trail(now)).await,
            Engine::Postgres(store) => store.rotate(rotation, self.trail(now)).await,
        }
    }

    /// Ends a grant; what is to be removed at Plaid for it is queued in the same commit (RFC 7009).
    pub async fn revoke(
        &self,
        id: GrantId,
        revocation: Revocation,
        now: Timestamp,
    ) -> Result<RevokeOutcome, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.revoke(id, revocation, self.trail(now)).await,
            Engine::Postgres(store) => store.revoke(id, revocation, self.trail(now)).await,
        }
    }

    /// Leases at most `limit` removals that are due until `until`, the longest waiting first. Nobody else gets them until
    /// then; a lease that is neither finished nor postponed runs out, and the removal is due again.
    pub async fn take_removals(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<TakenRemovals, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.take_removals(now, until, limit).await,
            Engine::Postgres(store) => store.take_removals(now, until, limit).await,
        }
    }

    /// Plaid has removed the Item (or never knew it). Done twice it is done once.
    pub async fn finish_removal(&self, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        self.finish(id, AuditEvent::ConnectionRemoved, now).await
    }

    /// Plaid could not be asked or did not do it: counts the attempt and tries again at that moment.
    pub async fn postpone_removal(&self, id: ConnectionId, next_try: Timestamp) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.postpone_removal(id, next_try).await,
            Engine::Postgres(store) => store.postpone_removal(id, next_try).await,
        }
    }

    /// Forgets open, cancelled and abandoned transactions that expired before that moment, and the public tokens that
    /// were exchanged before it if their connection is removed. One call forgets a bounded number of each and returns how
    /// many: repeat until it is zero.
    pub async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.purge(before).await,
            Engine::Postgres(store) => store.purge(before).await,
        }
    }

    /// Whether the store can write and read now, and whether its keys still open it ([`StoreError::Sealed`] if not).
    pub async fn check(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.check().await,
            Engine::Postgres(store) => store.check().await,
        }
    }

    /// Decides what waits, syncs, and lets other processes open the store. Whatever comes later is refused.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(store) => store.close().await,
            Engine::Postgres(store) => store.close().await,
        }
    }
}
