#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! From top to bottom; a module uses only modules below it:
//!
//! - `sqlite` - one file, one writer, group commit
//! - `postgres` - a database that several brokers share
//! - `ownership` - whose a store is, and the bound on its version
//! - `inspection` - a look at a store from outside
//! - `decisions` - one type per decision, run on both engines
//! - `token_index` - access tokens, found by a keyed hash
//! - `reseal` - what a change of keys seals again
//! - `state_machine` - which stage an authorization may move to
//! - `sealed` - a connection on its way into a row
//! - `tx` - what a decision may do: execute, read, audit
//! - `tokens` - codes and refresh tokens of our own
//! - `rows` - from columns to values
//! - `error` - what goes wrong
//! - `seal` - the sealed envelope
//! - `keyring` - the keys
//! - `files` - files for their owner only
//! - `count_cache` - counts that are kept for a while
//! - `config` - the settings
//! - `postgres_url` - `postgres://` addresses
//! - `audit_context` - who did what, for audit rows
//! - `model` - inputs and outcomes
#![expect(missing_docs, reason = "a doc comment says what a name cannot")]

#[cfg(test)]
extern crate self as plaid_token_broker_store;

mod audit_context;
pub mod config;
mod count_cache;
mod decisions;
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
mod ownership;
mod postgres;
mod postgres_url;
mod reseal;
mod rows;
pub mod seal;
mod sealed;
mod sqlite;
mod state_machine;
pub mod token_index;
pub mod tokens;
mod tx;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker_core::{clock, random, secret};

use self::audit_context::AuditContext;
use self::clock::Timestamp;
use self::config::{DatabaseUrl, StoreConfig};
use self::count_cache::CountCache;
pub use self::error::{BackupError, OpenError, StoreError};
pub use self::inspection::{Inspection, Restored};
use self::keyring::Keyring;
use self::model::{Account, NewConnection, Origin};
use self::postgres::PostgresStore;
use self::sealed::SealedConnection;
use self::sqlite::SqliteStore;
use self::tokens::TokenKey;
pub use self::tokens::{PresentedToken, TokenKind};
use self::tx::{Context, Decision};

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
    inner: Arc<Inner>,
    /// Where decisions through this clone come from, for the audit log.
    origin: Origin,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    keyring: Arc<Keyring>,
    tokens: TokenKey,
    account: Account,
    count_cache: CountCache,
}

#[derive(Debug)]
enum Engine {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// Rows of the audit log that one decision forgets: others are waiting.
const FORGOTTEN_AT_ONCE: usize = 1000;
/// Connections or authorizations that one commit ends, abandons or purges at most: other decisions wait for it, and for
/// its page writes.
const CHANGED_AT_ONCE: i64 = 100;

const BACKUP_ELSEWHERE: &str = "the store is in PostgreSQL, whose own tools make its backups: use pg_dump (docs/operating.md \
     shows how); the keys are not in it";
const RESTORE_ELSEWHERE: &str = "the store is in PostgreSQL, whose own tools put its backups back: stop all brokers and use \
     pg_restore (docs/operating.md shows how)";

impl Store {
    /// Opens the store, or makes it with the directories above it (for their owner only), and migrates it.
    pub async fn open(options: OpenOptions) -> Result<Self, OpenError> {
        let OpenOptions {
            config,
            account,
            durability,
        } = options;
        let (engine, keyring, tokens) = match config.database {
            DatabaseUrl::Sqlite(path) => {
                let opening = SqliteStore::open(path, config.keys, account.clone(), durability);
                let (store, keyring, tokens) = opening.await?;
                (Engine::Sqlite(store), keyring, tokens)
            }
            DatabaseUrl::Postgres(url) => {
                let opening = PostgresStore::open(*url, config.keys, &account, durability);
                let (store, keyring, tokens) = Box::pin(opening).await?;
                (Engine::Postgres(store), keyring, tokens)
            }
        };
        Ok(Self::new(engine, keyring, tokens, account))
    }

    fn new(engine: Engine, keyring: Arc<Keyring>, tokens: TokenKey, account: Account) -> Self {
        let inner = Inner {
            engine,
            keyring,
            tokens,
            account,
            count_cache: CountCache::default(),
        };
        Self {
            inner: Arc::new(inner),
            origin: Origin::default(),
        }
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
            DatabaseUrl::Sqlite(path) => sqlite::inspect(path, config.keys, account, patience).await,
            DatabaseUrl::Postgres(url) => {
                Box::pin(postgres::inspect(*url, config.keys, account, patience)).await
            }
        }
    }

    /// Whether a process has this store open, and others have to wait until it ends. `PostgreSQL` has no such limit.
    #[must_use]
    pub fn is_in_use(config: &StoreConfig) -> bool {
        match &config.database {
            DatabaseUrl::Sqlite(path) => sqlite::is_in_use(path),
            DatabaseUrl::Postgres(_) => false,
        }
    }

    /// Puts a backup in the place of the store that `options` name, which no process may have open. It is checked first: a
    /// whole store of this program and account. `force`: a store that is there is moved aside.
    pub async fn restore(
        options: OpenOptions,
        from: PathBuf,
        force: bool,
        now: Timestamp,
    ) -> Result<Restored, BackupError> {
        let target = match options.config.database {
            DatabaseUrl::Sqlite(target) => target,
            DatabaseUrl::Postgres(_) => return Err(BackupError::Elsewhere(RESTORE_ELSEWHERE)),
        };
        let (keys, account) = (options.config.keys, options.account);
        let task = tokio::task::spawn_blocking(move || {
            sqlite::restore::restore(&from, &target, &keys, &account, force, now)
        });
        task.await
            .unwrap_or(Err(StoreError::Unavailable("restoring was stopped").into()))
    }

    /// Writes a copy of the store as it is now to a new file, synced, while everything goes on. The keys are not in it.
    /// Returns its bytes.
    pub async fn backup(&self, target: PathBuf) -> Result<u64, BackupError> {
        match &self.inner.engine {
            Engine::Sqlite(store) => store.backup(target).await,
            Engine::Postgres(_) => Err(BackupError::Elsewhere(BACKUP_ELSEWHERE)),
        }
    }

    /// Whether other instances may have it open at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.inner.engine, Engine::Postgres(_))
    }

    /// The same store for decisions that come from there: the audit log names it.
    #[must_use]
    pub fn by(&self, origin: Origin) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            origin,
        }
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        &self.inner.account
    }

    /// Makes and recognises tokens of our own; they are this store's and no other's.
    #[must_use]
    pub fn tokens(&self) -> &TokenKey {
        &self.inner.tokens
    }

    /// The keys that seal and open.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.inner.keyring)
    }

    fn sealed(&self, new: NewConnection) -> Result<SealedConnection, StoreError> {
        SealedConnection::of(new, &self.inner.keyring, &self.inner.tokens)
    }

    async fn decide<D: Decision>(&self, decision: D, now: Timestamp) -> Result<D::Outcome, StoreError> {
        self.run_as(decision, AuditContext::new(now, self.origin.clone()))
            .await
    }

    /// For what does not depend on the time and writes no row of the audit log.
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        let audit = AuditContext::new(Timestamp::from_millis(0), Origin::default());
        self.run_as(decision, audit).await
    }

    /// The one place that chooses the engine.
    async fn run_as<D: Decision>(&self, decision: D, audit: AuditContext) -> Result<D::Outcome, StoreError> {
        let context = Context {
            keyring: self.keyring(),
            tokens: self.inner.tokens.clone(),
            audit,
        };
        match &self.inner.engine {
            Engine::Sqlite(store) => store.run(decision, context).await,
            Engine::Postgres(store) => store.run(decision, context).await,
        }
    }

    /// Reports each commit from now on. A second call changes nothing.
    pub fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        match &self.inner.engine {
            Engine::Sqlite(store) => store.observed_by(observer),
            Engine::Postgres(store) => store.observed_by(observer),
        }
    }

    /// Decides what waits, syncs, and lets other processes open the store. Whatever comes later is refused.
    pub async fn close(&self) {
        match &self.inner.engine {
            Engine::Sqlite(store) => store.close().await,
            Engine::Postgres(store) => store.close().await,
        }
    }
}
