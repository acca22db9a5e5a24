//! The audit log: rows in the commit of what they tell of, batches of what changes nothing, and reading both.

use rusqlite::{Connection as Sqlite, OptionalExtension as _, named_params};

use super::rows::Cells;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{AuditQuery, AuditRecord, Batch, NewAudit, Noted};
use crate::rows::audit::{RECORD, Sieve, record};
use crate::{FORGOTTEN_AT_ONCE, trail};

pub(super) fn write(conn: &Sqlite, new: &NewAudit, now: Timestamp) -> Result<(), StoreError> {
    insert(conn, new, now, now, 1)
}

fn insert(
    conn: &Sqlite,
    new: &NewAudit,
    at: Timestamp,
    last_at: Timestamp,
    times: u64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO audit (at, event, outcome, actor, client_id, transaction_id, connection_id, grant_id, address, \
             request_id, detail, times, last_at) \
         VALUES (:at, :event, :outcome, :actor, :client_id, :transaction_id, :connection_id, :grant_id, :address, \
             :request_id, :detail, :times, :last_at)",
    )?
    .execute(named_params! {
        ":at": at.as_millis(),
        ":event": new.event.as_str(),
        ":outcome": new.outcome.as_str(),
        ":actor": new.actor.as_str(),
        ":client_id": new.client_id,
        ":transaction_id": new.transaction_id.map(|id| *id.0.as_bytes()),
        ":connection_id": new.connection_id.map(|id| *id.0.as_bytes()),
        ":grant_id": new.grant_id.map(|id| *id.0.as_bytes()),
        ":address": new.address.map(|address| address.to_string()),
        ":request_id": new.request_id,
        ":detail": new.detail.as_deref(),
        ":times": i64::try_from(times).unwrap_or(i64::MAX),
        ":last_at": last_at.as_millis(),
    })?;
    Ok(())
}

/// All that the background task brings, in one commit. Older news never replaces newer.
pub(super) fn write_batch(conn: &Sqlite, batch: &Batch) -> Result<(), StoreError> {
    for Noted {
        new,
        at,
        last_at,
        times,
    } in &batch.noted
    {
        insert(conn, new, *at, *last_at, *times)?;
    }
    let mut refreshed = conn.prepare_cached(
        "INSERT INTO grant_use (grant_id, refreshed_at) VALUES (?1, ?2) \
         ON CONFLICT (grant_id) DO UPDATE SET refreshed_at = max(refreshed_at, excluded.refreshed_at)",
    )?;
    for (id, at) in &batch.refreshed {
        refreshed.execute((id.0.as_bytes(), at.as_millis()))?;
    }
    let mut health = conn.prepare_cached(
        "INSERT INTO connection_health (connection_id, health, at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (connection_id) DO UPDATE SET health = excluded.health, at = excluded.at \
         WHERE excluded.at >= connection_health.at",
    )?;
    for (id, word, at) in &batch.health {
        health.execute((id.0.as_bytes(), word, at.as_millis()))?;
    }
    Ok(())
}

/// The newest first.
pub(super) fn read(conn: &Sqlite, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
    let sql = format!("SELECT {RECORD} FROM audit WHERE id < ?1 ORDER BY id DESC");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([query.before_id.unwrap_or(i64::MAX)])?;
    let mut sieve = Sieve::of(query);
    while !sieve.is_done() {
        let Some(row) = found.next()? else { break };
        sieve.take(record(&mut Cells::of(row))?);
    }
    Ok(sieve.kept())
}

/// The rows after this one, the oldest first: for whoever follows the log.
pub(super) fn after(conn: &Sqlite, id: i64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
    let sql = format!("SELECT {RECORD} FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query((id, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut records = Vec::new();
    while let Some(row) = found.next()? {
        records.push(record(&mut Cells::of(row))?);
    }
    Ok(records)
}

/// The newest row's id; 0 of an empty log.
pub(super) fn last_id(conn: &Sqlite) -> Result<i64, StoreError> {
    let mut statement = conn.prepare_cached("SELECT coalesce(max(id), 0) FROM audit")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// How far the audit file has come.
pub(super) fn file_mark(conn: &Sqlite) -> Result<i64, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'audit_file'")?;
    let mark: Option<[u8; 8]> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(mark.map_or(0, i64::from_be_bytes))
}

pub(super) fn mark_file(conn: &Sqlite, id: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES ('audit_file', ?1) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute([id.to_be_bytes()])?;
    Ok(())
}

/// Forgets the oldest rows whose last moment was before `before`. Moving the horizon there is what makes the schema's
/// triggers let them go, and it is written into the log itself.
pub(super) fn forget(conn: &Sqlite, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
    let old: Vec<i64> = {
        let mut statement = conn.prepare_cached("SELECT id, last_at FROM audit ORDER BY id LIMIT ?1")?;
        let mut rows = statement.query([i64::try_from(FORGOTTEN_AT_ONCE).unwrap_or(i64::MAX)])?;
        let mut old = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= before.as_millis() {
                break;
            }
            old.push(row.get(0)?);
        }
        old
    };
    let Some(last) = old.last() else { return Ok(0) };
    conn.prepare_cached("UPDATE audit_horizon SET before = max(before, ?1)")?
        .execute([before.as_millis()])?;
    let forgotten = conn
        .prepare_cached("DELETE FROM audit WHERE id <= ?1")?
        .execute([last])?;
    insert(
        conn,
        &trail::forgotten(),
        now,
        now,
        u64::try_from(forgotten).unwrap_or(u64::MAX),
    )?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}
