//! Puts a backup in the place of the store, when no broker has it: checked first, and then there as a whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use super::backup::{beside, create_private, io_error, open_still};
use super::migrations;
use super::open::{self, meta};
use super::tx::{SqliteTx, ready};
use crate::clock::Timestamp;
use crate::config::KeySource;
use crate::decisions::{listing, reseal};
use crate::error::{BackupError, OpenError, StoreError};
use crate::keyring::Keyring;
use crate::model::{Account, KeysReport};
use crate::ownership::{self, Schema};
use crate::{Restored, files};

/// Puts the backup `from` to `target`. With `force` a store that is there is moved aside.
pub(crate) fn restore(
    from: &Path,
    target: &Path,
    keys: &KeySource,
    account: &Account,
    force: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let target = &std::path::absolute(target).map_err(io_error("find", target))?;
    is_whole_file(from)?;
    if !open::lock_path(target).exists() {
        // Nobody ran here yet: what is no backup shall leave nothing behind.
        examine(from, from, keys, account)?;
    }
    let directory = files::parent(target);
    files::create_directory(&directory).map_err(io_error("create", &directory))?;
    // Held to the end: no broker starts on what is half done.
    let _lock = open::lock(target)?;
    if target.exists() && !force {
        return Err(BackupError::Exists(target.clone()));
    }
    let draft = beside(target, ".restoring");
    let placed = copy(from, &draft)
        .and_then(|()| examine(from, &draft, keys, account))
        .and_then(|(connections, keys)| {
            let replaced = put_aside(target, now)?;
            let io = io_error("write", target);
            fs::rename(&draft, target).map_err(&io)?;
            files::sync_directory(&directory).map_err(&io)?;
            Ok(Restored {
                connections,
                keys,
                replaced,
            })
        });
    for ending in ["", "-wal", "-shm", "-journal"] {
        drop(fs::remove_file(beside(&draft, ending)));
    }
    placed
}

/// Whether it is a file, and the only one of its store.
fn is_whole_file(from: &Path) -> Result<(), BackupError> {
    let refused = |reason| {
        Err(BackupError::NotABackup {
            path: from.to_owned(),
            reason,
        })
    };
    if !fs::metadata(from).map_err(io_error("read", from))?.is_file() {
        return refused("it is a directory, or something else than a file");
    }
    let log = beside(from, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return refused(
            "a write-ahead log lies beside it, so it is a store in use or a copy of a part of one",
        );
    }
    Ok(())
}

fn copy(from: &Path, draft: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(io_error("read", from))?;
    let io = io_error("write", draft);
    let mut file = create_private(draft).map_err(&io)?;
    io::copy(&mut source, &mut file).map_err(&io)?;
    file.sync_all().map_err(&io)
}

/// Whether it is a whole store of ours and of this account. What counts is the examination of our own copy, `draft`, which
/// no other process changes.
fn examine(
    from: &Path,
    draft: &Path,
    keys: &KeySource,
    account: &Account,
) -> Result<(u64, Option<KeysReport>), BackupError> {
    let foreign = |reason| BackupError::NotABackup {
        path: from.to_owned(),
        reason,
    };
    let mut conn = open_still(draft).map_err(StoreError::from)?;
    let of_backup = open::named(from);
    match migrations::inspect(&conn) {
        Ok(Schema::Empty | Schema::Foreign) => return Err(foreign("it is no store of this program")),
        Ok(schema) => drop(schema.found(&of_backup)?),
        Err(_) => return Err(foreign("it is no SQLite database, or is damaged")),
    }
    let sound = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    if sound.as_deref() != Ok("ok") {
        return Err(foreign("it is damaged: SQLite's integrity check fails"));
    }
    let value = |name: &str| meta(&conn, name).map_err(StoreError::from);
    let Some(stored) = ownership::account(value("environment")?, value("client_id")?) else {
        return Err(foreign("it does not say whose it is"));
    };
    ownership::same_account(Some(stored), account, &of_backup)?;
    let keyring = Keyring::existing(keys).map_err(OpenError::Keyring)?;
    let report = keyring
        .map(|keyring| ready(reseal::report(&mut SqliteTx(&mut conn), &keyring)))
        .transpose()?;
    Ok((ready(listing::count(&mut SqliteTx(&mut conn)))?, report))
}

/// Moves the store that is there to a name of its own, with what belongs to it, so that it can still be opened.
fn put_aside(target: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if !target.exists() {
        return Ok(None);
    }
    merge_log(target);
    let aside = beside(target, &format!(".before-restore-{}", now.as_millis()));
    // The log first: beside the backup it would be taken for the backup's own.
    for ending in ["-wal", "-shm", ""] {
        let (from, to) = (beside(target, ending), beside(&aside, ending));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("move", &from)(error));
            }
            _ => {}
        }
    }
    files::sync_directory(&files::parent(target)).map_err(io_error("move", target))?;
    Ok(Some(aside))
}

/// A crash may have left a write-ahead log: with it merged, the file is whole by itself. What is damaged is moved as it
/// is.
fn merge_log(target: &Path) {
    let merged = open::connect(target, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|conn| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    if let Err(error) = merged {
        tracing::debug!(%error, "the write-ahead log of the replaced store stays beside it");
    }
}
