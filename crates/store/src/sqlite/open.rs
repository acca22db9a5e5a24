//! Opening a store: directory, lock, file, schema, account and keys, each with its own words when it fails.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use super::migrations;
use crate::Durability;
use crate::config::{DatabaseUrl, KeySource};
use crate::error::{OpenError, StoreError};
use crate::files;
use crate::keyring::Keyring;
use crate::model::Account;
use crate::ownership;
use crate::tokens::{TokenKey, token_key_place};

/// Look-ups are short; two share the machine well with the writer, and each costs its page cache.
const READERS: usize = 2;
/// Lists may read every row, which takes a second in a large store. Further ones wait.
const LISTERS: usize = 2;

/// The writing connection and the lock that keeps other processes out.
#[derive(Debug)]
pub(super) struct Held {
    /// The only connection that writes.
    pub(super) conn: Connection,
    lock: File,
}

impl Held {
    /// Brings everything into the database file, closes it, and only then lets others in.
    pub(super) fn close(self) {
        let Self { conn, lock } = self;
        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            // Nothing is lost: what is not in the file yet is in the log beside it, and read from there.
            tracing::warn!(%error, "the store closes with its write-ahead log unmerged");
        }
        if let Err((_, error)) = conn.close() {
            tracing::warn!(%error, "the store did not close cleanly");
        }
        drop(lock);
    }
}

/// All that opening yields.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) held: Held,
    pub(super) readers: Vec<Connection>,
    pub(super) listers: Vec<Connection>,
    /// What opens the rows.
    pub(super) keyring: Keyring,
    /// What makes the tokens.
    pub(super) tokens: TokenKey,
}

/// Opens or creates the store at `path`. Blocks.
pub(super) fn open(
    path: &Path,
    keys: &KeySource,
    account: &Account,
    durability: Durability,
) -> Result<Opened, OpenError> {
    // SQLite would read a relative name that begins with "file:" as a URI.
    let path = &std::path::absolute(path).map_err(|source| OpenError::Directory {
        path: path.to_owned(),
        source,
    })?;
    let directory = files::parent(path);
    files::create_directory(&directory).map_err(|source| OpenError::Directory {
        path: directory.clone(),
        source,
    })?;
    let lock = lock(path)?;
    create_file(path, &directory).map_err(|source| OpenError::NotWritable {
        path: path.clone(),
        source,
    })?;

    let failed = |error| engine_error(path, error);
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    migrations::inspect(&conn).map_err(failed)?.found(&named(path))?;
    prepare_writer(&conn, durability).map_err(failed)?;
    let (keyring, tokens) = claim(&mut conn, path, keys, account)?;
    let readers = |count| {
        (0..count)
            .map(|_| reader(path))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)
    };
    Ok(Opened {
        held: Held { conn, lock },
        readers: readers(READERS)?,
        listers: readers(LISTERS)?,
        keyring,
        tokens,
    })
}

/// Two processes would each be right by itself and wrong together; the lock file says so instead. The system frees
/// the lock however the process ends.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let path = lock_path(database);
    let failed = |source| OpenError::NotWritable {
        path: path.clone(),
        source,
    };
    let file = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            store: named(database),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The lock file of a database.
pub(super) fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// Makes the file for its owner only; `SQLite` creates the files beside it with the same mode.
fn create_file(path: &Path, directory: &Path) -> io::Result<()> {
    let existed = path.exists();
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
    if existed {
        Ok(())
    } else {
        files::sync_directory(directory)
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Opens a connection to a file. All connections are opened here, so that the same holds for all.
pub(super) fn connect(path: impl AsRef<Path>, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection is used by one thread at a time, so SQLite needs no lock of its own.
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // A plan does not depend on the values that are bound, so a statement is compiled once and not for each execution
    // (<https://sqlite.org/queryplanner-ng.html#qpsg>).
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    rusqlite::vtab::array::load_module(&conn)?;
    Ok(conn)
}

fn prepare_writer(conn: &Connection, durability: Durability) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(64);
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(
            mode,
            "this file system does not allow a write-ahead log; the store is slower without"
        );
    }
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Off => "OFF",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    // On macOS fsync leaves the data in the drive's cache; F_FULLFSYNC does not. Elsewhere these do nothing.
    conn.pragma_update(None, "fullfsync", durability == Durability::Full)?;
    conn.pragma_update(None, "checkpoint_fullfsync", durability == Durability::Full)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // A page that many commits touch is merged into the file once: 16 MB of log between two checkpoints.
    conn.pragma_update(None, "wal_autocheckpoint", 4096)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    conn.pragma_update(None, "cache_size", -8 * 1024)
}

pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Ok(conn)
}

/// Migrates, and checks or records whose store this is and that the keys open it: all in one transaction, so that
/// no crash leaves a store without its account or its token key.
fn claim(
    conn: &mut Connection,
    path: &Path,
    keys: &KeySource,
    account: &Account,
) -> Result<(Keyring, TokenKey), OpenError> {
    let failed = |error| engine_error(path, error);
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    migrations::migrate(&tx).map_err(failed)?;
    let stored = ownership::account(
        meta(&tx, "environment").map_err(failed)?,
        meta(&tx, "client_id").map_err(failed)?,
    );
    ownership::same_account(stored, account, &named(path))?;
    let sealed = meta(&tx, "token_key").map_err(failed)?;
    let keyring = Keyring::load(keys, path, sealed.is_some())?;
    let tokens = if sealed.is_some() {
        token_key(&tx, &keyring).map_err(|error| ownership::not_opened(&named(path), error))?
    } else {
        let tokens = TokenKey::generate();
        let sealed = keyring
            .seal(&token_key_place(), tokens.expose())
            .map_err(|reason| OpenError::WrongKeys {
                store: named(path),
                reason,
            })?;
        for (name, value) in [
            ("environment", account.environment.as_bytes()),
            ("client_id", account.client_id.as_bytes()),
            ("token_key", sealed.as_slice()),
        ] {
            tx.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", (name, value))
                .map_err(failed)?;
        }
        tokens
    };
    tx.commit().map_err(failed)?;
    Ok((keyring, tokens))
}

/// The key that tokens are made with, as it is sealed in the store now: whether the keys open it is whether they
/// open this store.
pub(super) fn token_key(conn: &Connection, keyring: &Keyring) -> Result<TokenKey, StoreError> {
    TokenKey::open(keyring, meta(conn, "token_key")?.as_deref())
}

/// The store's name in errors.
pub(super) fn named(path: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(path.to_owned())
}

pub(super) fn meta(conn: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
}

pub(super) fn engine_error(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign {
            store: named(path),
            reason: "it is not an SQLite database, or its beginning is damaged",
        },
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => OpenError::NotWritable {
            path: path.to_owned(),
            source: io::Error::from(io::ErrorKind::PermissionDenied),
        },
        _ => OpenError::Store {
            store: named(path),
            source: StoreError::from(error),
        },
    }
}
