//! Looking at a database file beside whoever has it open: read-only, and without the lock of [`super::open`].

use std::fs::{OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use uuid::Uuid;

use super::migrations::{self, Schema};
use super::open::{engine_error, lock_path, meta, no_token_key, reader, token_key};
use super::redirects;
use super::rows::access_token_place;
use crate::config::KeySource;
use crate::store::error::{OpenError, StoreError};
use crate::store::inspection::Inspection;
use crate::store::keyring::Keyring;
use crate::store::model::{Account, AllowedRedirectUri, ConnectionId};

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
    match migrations::inspect(&conn).map_err(failed)? {
        Schema::Empty => return Ok(None),
        Schema::Foreign => {
            return Err(OpenError::Foreign {
                path: path.clone(),
                reason: "it is another program's database",
            });
        }
        Schema::Newer { found, known } => {
            return Err(OpenError::Newer {
                path: path.clone(),
                found,
                known,
            });
        }
        Schema::Ours => {}
    }
    let text =
        |name: &str| meta(&conn, name).map(|value| value.and_then(|value| String::from_utf8(value).ok()));
    let stored = text("environment")
        .map_err(failed)?
        .zip(text("client_id").map_err(failed)?)
        .map(|(environment, client_id)| Account {
            environment,
            client_id,
        });
    if let Some(stored) = stored.filter(|stored| stored != account) {
        return Err(OpenError::OtherAccount {
            path: path.clone(),
            stored,
            given: account.clone(),
        });
    }
    if meta(&conn, "token_key").map_err(failed)?.is_none() {
        return Ok(None);
    }
    let keyring = Keyring::load(keys, path, true)?;
    let allowed = allowed(&conn).map_err(|source| OpenError::Store {
        path: path.clone(),
        source,
    })?;
    let mut inspection = Inspection {
        allowed,
        tokens: token_key(&conn, &keyring).map_err(|error| no_token_key(path, error))?,
        rows: 0,
        unopened: 0,
        reason: None,
        whole: false,
    };
    walk(&conn, &keyring, deadline, &mut inspection).map_err(|source| OpenError::Store {
        path: path.clone(),
        source,
    })?;
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
            let place = access_token_place(ConnectionId(Uuid::from_bytes(*id)));
            inspection.rows += 1;
            if let Err(error) = keyring.open(&place, sealed) {
                inspection.unopened += 1;
                inspection.reason.get_or_insert(error);
            }
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
