//! Key rotation on an `SQLite` file: see [`crate::reseal`].

use rusqlite::{Connection as Sqlite, OptionalExtension as _};
use uuid::Uuid;

use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{ConnectionId, KeysReport, ResealStep};
use crate::reseal::{Tally, again};
use crate::rows;
use crate::tokens::token_key_place;

/// Looks at so many connections after this one; the first step also at the token key.
pub(super) fn step(
    conn: &Sqlite,
    keyring: &Keyring,
    after: Option<ConnectionId>,
    limit: usize,
) -> Result<ResealStep, StoreError> {
    let mut step = ResealStep::default();
    let from = if let Some(id) = after {
        *id.0.as_bytes()
    } else {
        token_key(conn, keyring, &mut step)?;
        [0; 16]
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<([u8; 16], Vec<u8>)> = conn
        .prepare_cached("SELECT id, access_token FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map((from, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) == limit {
        step.next = rows.last().map(|(id, _)| ConnectionId(Uuid::from_bytes(*id)));
    }
    let mut update = conn.prepare_cached("UPDATE connections SET access_token = ?1 WHERE id = ?2")?;
    for (id, sealed) in rows {
        let place = rows::access_token_place(ConnectionId(Uuid::from_bytes(id)));
        if let Some(again) = again(keyring, &place, &sealed, &mut step)? {
            update.execute((again, id))?;
        }
    }
    Ok(step)
}

fn token_key(conn: &Sqlite, keyring: &Keyring, step: &mut ResealStep) -> Result<(), StoreError> {
    let Some(sealed) = sealed_token_key(conn)? else {
        return Ok(());
    };
    if let Some(again) = again(keyring, &token_key_place(), &sealed, step)? {
        conn.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'token_key'")?
            .execute([again])?;
    }
    Ok(())
}

fn sealed_token_key(conn: &Sqlite) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'token_key'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Opens every sealed value, to tell which keys are in use and whether all that is needed is there.
pub(super) fn report(conn: &Sqlite, keyring: &Keyring) -> Result<KeysReport, StoreError> {
    let mut tally = Tally::of(keyring);
    if let Some(sealed) = sealed_token_key(conn)? {
        tally.count(&token_key_place(), &sealed);
    }
    let mut statement = conn.prepare_cached("SELECT id, access_token FROM connections ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = ConnectionId(Uuid::from_bytes(row.get(0)?));
        tally.count(&rows::access_token_place(id), &row.get::<_, Vec<u8>>(1)?);
    }
    Ok(tally.report())
}
