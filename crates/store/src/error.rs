//! What can go wrong in the store: once while it opens, and at each decision afterwards.
//!
//! No error carries a value of a row: they reach logs, and some of them people.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::keyring::KeyringError;
use super::model::Account;
use super::seal::SealError;
use crate::config::DatabaseUrl;

/// Why a decision or a look-up failed. A failed decision left no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room on the disk. Nothing was lost, and the store goes on once there is room.
    #[error("the disk that holds the store is full; nothing stored was lost, make room and it goes on")]
    Full,
    /// The store cannot answer now; the text says why in the engine's own words.
    #[error("the store cannot answer: {0}")]
    Unavailable(&'static str),
    /// The content of the disk cannot be what was written.
    #[error("the store is damaged ({0}); restore it from a backup")]
    Corrupt(&'static str),
    /// A sealed value does not open.
    #[error("a sealed value of the store does not open: {0}")]
    Sealed(#[from] SealError),
    /// A row with this id (or public token) is already there; ids are made fresh, so this is a bug of the caller.
    #[error("a row with this id is already in the store")]
    Duplicate,
    /// A bug: the decision or look-up panicked. Others are not affected.
    #[error(
        "internal error in the store; nothing was changed, and the log says where it happened: please report it"
    )]
    Panicked,
}

impl StoreError {
    /// Logs a panic that was caught, whose text and place the panic hook has written already.
    pub(super) fn panicked() -> Self {
        tracing::error!("a decision or look-up of the store panicked: this is a bug");
        Self::Panicked
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                // The fixed text of the code and never SQLite's message, which may quote what it was given.
                let text = rusqlite::ffi::code_to_str(failure.extended_code);
                match failure.code {
                    ErrorCode::DiskFull => Self::Full,
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(text),
                    ErrorCode::ConstraintViolation if is_taken(failure.extended_code) => Self::Duplicate,
                    _ => Self::Unavailable(text),
                }
            }
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Self::Corrupt("a column holds what was never written to it"),
            _ => Self::Unavailable("the database engine refused a statement"),
        }
    }
}

fn is_taken(extended_code: i32) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    matches!(
        extended_code,
        SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE
    )
}

/// Why a backup was not made or not put back. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something already.
    #[error("{} is there already, and nothing was changed; name another file, or move it away", .0.display())]
    Exists(PathBuf),
    /// The database server makes and restores backups of its own.
    #[error("{0}")]
    Elsewhere(&'static str),
    /// `SQLite` takes names in UTF-8 alone.
    #[error("{} is no name in UTF-8; name another file", .0.display())]
    Name(PathBuf),
    #[error("cannot {action} {}: {source}; {}", path.display(), advice(action, source))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// It cannot be put back.
    #[error("{} is not a backup that can be put back: {reason}; use a file that `plaid-token-broker backup` made", path.display())]
    NotABackup {
        path: PathBuf,
        /// How it was noticed.
        reason: &'static str,
    },
    /// What also keeps a store from opening: it is in use, of another account, or newer.
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a store did not open. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory of the database is not there and cannot be made.
    #[error("cannot create the data directory {}: {source}; create it or set DATABASE_URL to another place", path.display())]
    Directory { path: PathBuf, source: io::Error },
    /// The database or a file beside it cannot be written.
    #[error(
        "cannot write {}: {source}; make it writable for this user or set DATABASE_URL to another place", path.display()
    )]
    NotWritable { path: PathBuf, source: io::Error },
    /// Another process has it open.
    #[error(
        "the store {store} is in use by another process; stop that one first, or set DATABASE_URL to another place"
    )]
    InUse { store: DatabaseUrl },
    /// It is no store of this program.
    #[error("{store} is not a store of this program ({reason}); {}", elsewhere(store))]
    Foreign {
        store: DatabaseUrl,
        /// How it was noticed.
        reason: &'static str,
    },
    /// A newer version of this program has written it.
    #[error(
        "the store {store} has schema {found}, this version of the program knows up to {known}; use the newer version again, \
         or restore a backup from before the upgrade"
    )]
    Newer {
        store: DatabaseUrl,
        found: i64,
        /// The newest schema of this program.
        known: i64,
    },
    /// It belongs to another Plaid account.
    #[error(
        "the store {store} belongs to Plaid's {} with client id {}, but the settings are for {} with client id {}; \
         correct {} if that is a mistake, or set DATABASE_URL to another place: access tokens of one account are useless to \
         another",
        stored.environment, stored.client_id, given.environment, given.client_id, differing(stored, given)
    )]
    OtherAccount {
        store: DatabaseUrl,
        stored: Account,
        given: Account,
    },
    /// The keys could not be had.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keys are there, but they are not this store's.
    #[error(
        "the keys do not open the store {store} ({reason}); set BROKER_KEYS (or restore the key file) with the key that sealed it"
    )]
    WrongKeys {
        store: DatabaseUrl,
        /// What did not fit.
        reason: SealError,
    },
    /// The database server cannot be reached, or refuses the connection.
    #[error("cannot open the store {store}: {reason}; {advice}")]
    Unreachable {
        store: DatabaseUrl,
        reason: String,
        advice: &'static str,
    },
    /// Anything that can also happen later.
    #[error("the store {store} does not open: {source}")]
    Store { store: DatabaseUrl, source: StoreError },
}

/// The settings by which two accounts differ.
fn differing(stored: &Account, given: &Account) -> &'static str {
    match (
        stored.environment == given.environment,
        stored.client_id == given.client_id,
    ) {
        (true, _) => "PLAID_CLIENT_ID",
        (false, true) => "PLAID_ENV",
        (false, false) => "PLAID_ENV and PLAID_CLIENT_ID",
    }
}

/// Where else a store may be.
fn elsewhere(store: &DatabaseUrl) -> &'static str {
    match store {
        DatabaseUrl::Postgres(_) => {
            "name a database of its own in DATABASE_URL, or a schema of its own in this one \
             (?options=-csearch_path%3Dbroker; docs/operating.md shows how to make either), or restore it from a backup"
        }
        DatabaseUrl::Sqlite(..) => "set DATABASE_URL to another place, or restore it from a backup",
    }
}

/// What to do about a file of a backup.
fn advice(action: &str, source: &io::Error) -> &'static str {
    match (action, source.kind()) {
        ("read", _) => "name a file that `plaid-token-broker backup` made, and that this user may read",
        (_, io::ErrorKind::NotFound) => "make its directory first, or name a file in one that is there",
        (_, io::ErrorKind::StorageFull) => "make room on that disk, or name a file on another one",
        _ => "name a file in a directory that the broker's user may write to, or make that one writable",
    }
}
