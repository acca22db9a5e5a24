//! Looking at a database file beside whoever has it open: read-only, and without the lock of [`super::open`].

use std::fs::{OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use uuid::Uuid;

use super::open::{engine_error, lock_path, meta, named, reader, token_key};
use super::{migrations, redirects};
use crate::claim;
use crate::config::KeySource;
use crate::error::{OpenError, StoreError};
use crate::inspection::Inspection;
use crate::keyring::Keyring;
use crate::model::{Account, AllowedRedirectUri, ConnectionId};

/// A short read transaction each, so that the write-ahead log can be merged in between.
const PAGE: u32 = 500;

/// Looks at the store at `path`; `None`: there is none yet. Takes about `patience`. Blocks.
pub(super) fn inspect(
    path: &Path,
    keys: &KeySource,
    account: &Account,
    patience: Duration,
) -> Result<Option<Inspection>, OpenError> {
    let deadline = Instant::now() + patience;
    if !path.exists() {
        return Ok(None);
    }
    let path = &std::path::absolute(path).map_err(|source| OpenError::Directory {
        path: path.to_owned(),
        source,
    })?;
    let failed = |error| engine_error(path, error);
    let conn = reader(path).map_err(failed)?;
    if !migrations::inspect(&conn).map_err(failed)?.found(&named(path))? {
        return Ok(None);
    }
    let stored = claim::account(
        meta(&conn, "environment").map_err(failed)?,
        meta(&conn, "client_id").map_err(failed)?,
    );
    claim::same_account(stored, account, &named(path))?;
    if meta(&conn, "token_key").map_err(failed)?.is_none() {
        return Ok(None);
    }
    let keyring = Keyring::load(keys, path, true)?;
    let broken = |error| claim::not_opened(&named(path), error);
    let tokens = token_key(&conn, &keyring).map_err(broken)?;
    let mut inspection = Inspection::new(tokens, allowed(&conn).map_err(broken)?);
    walk(&conn, &keyring, deadline, &mut inspection).map_err(broken)?;
    Ok(Some(inspection))
}

/// A store that an older version wrote last has no such table until the broker opens it.
fn allowed(conn: &Connection) -> Result<Vec<AllowedRedirectUri>, StoreError> {
    let tables: i64 = conn.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'redirect_uris'",
        [],
        |row| row.get(0),
    )?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    redirects::list(conn)
}

/// Tries the keys on every connection.
fn walk(
    conn: &Connection,
    keyring: &Keyring,
    deadline: Instant,
    inspection: &mut Inspection,
) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare("SELECT id, access_token FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut last: Vec<u8> = Vec::new();
    loop {
        let page: Vec<([u8; 16], Vec<u8>)> = statement
            .query_map((&last, PAGE), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let Some((id, _)) = page.last() else {
            inspection.whole = true;
            return Ok(());
        };
        last = id.to_vec();
        for (id, sealed) in &page {
            inspection.look_at(ConnectionId(Uuid::from_bytes(*id)), sealed, keyring);
        }
        if Instant::now() >= deadline {
            return Ok(());
        }
    }
}

/// Whether a process has the store open. Nothing is made, and what is locked to find out is let go at once.
pub(super) fn is_in_use(path: &Path) -> bool {
    let lock: PathBuf = lock_path(path);
    let Ok(file) = OpenOptions::new().read(true).open(lock) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
