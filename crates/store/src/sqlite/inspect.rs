//! Looking at a database file while another process may have it open: read-only, and without the lock of [`super::open`].

use std::fs::{OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::migrations;
use super::open::{engine_error, lock_path, meta, named, reader, token_key};
use super::tx::{SqliteTx, ready};
use crate::config::KeySource;
use crate::decisions::redirects;
use crate::error::{OpenError, StoreError};
use crate::inspection::Inspection;
use crate::keyring::Keyring;
use crate::model::{Account, AllowedRedirectUri};
use crate::ownership;

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
    let mut conn = reader(path).map_err(failed)?;
    if !migrations::inspect(&conn).map_err(failed)?.found(&named(path))? {
        return Ok(None);
    }
    let stored = ownership::account(
        meta(&conn, "environment").map_err(failed)?,
        meta(&conn, "client_id").map_err(failed)?,
    );
    ownership::same_account(stored, account, &named(path))?;
    if meta(&conn, "token_key").map_err(failed)?.is_none() {
        return Ok(None);
    }
    let keyring = Keyring::load(keys, path, true)?;
    let broken = |error| ownership::not_opened(&named(path), error);
    let tokens = token_key(&conn, &keyring).map_err(broken)?;
    let mut inspection = Inspection::new(tokens, allowed(&mut conn).map_err(broken)?);
    ready(inspection.look_at_all(&mut SqliteTx(&mut conn), &keyring, deadline)).map_err(broken)?;
    Ok(Some(inspection))
}

/// A store that an older version wrote last has no such table until the broker opens it.
fn allowed(conn: &mut Connection) -> Result<Vec<AllowedRedirectUri>, StoreError> {
    let tables: i64 = conn.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'redirect_uris'",
        [],
        |row| row.get(0),
    )?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    ready(redirects::list(&mut SqliteTx(conn)))
}

/// Whether a process has the store open. Nothing is made, and what is locked to find out is let go at once.
pub(crate) fn is_in_use(path: &Path) -> bool {
    let lock: PathBuf = lock_path(path);
    let Ok(file) = OpenOptions::new().read(true).open(lock) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
