//! What ends: codes that nobody redeemed, Items that are to be removed at Plaid, rows that may be forgotten.

use rusqlite::{Connection as Sqlite, named_params};

use super::rows::{self, Columns, stage};
use crate::clock::Timestamp;
use crate::store::error::StoreError;
use crate::store::keyring::Keyring;
use crate::store::model::{ConnectionId, Removal, RemovalReason};

/// Ends the completed OAuth transactions of before that moment and queues the removal of what they made.
pub(super) fn abandon(
    conn: &Sqlite,
    unredeemed_before: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut abandoned = conn.prepare_cached(
        "UPDATE transactions SET stage = ?1, stage_at = ?2 \
         WHERE stage = 1 AND client_id IS NOT NULL AND stage_at < ?3 \
         RETURNING connection_id",
    )?;
    let connections = abandoned
        .query_map(
            (stage::ABANDONED, now.as_millis(), unredeemed_before.as_millis()),
            |row| row.get::<_, [u8; 16]>(0),
        )?
        .collect::<Result<Vec<_>, _>>()?;
    for connection_id in &connections {
        queue_unless_granted(conn, *connection_id, RemovalReason::Unredeemed, now)?;
    }
    Ok(u64::try_from(connections.len()).unwrap_or(u64::MAX))
}

pub(super) fn queue_unless_granted(
    conn: &Sqlite,
    connection_id: [u8; 16],
    reason: RemovalReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let removed = conn
        .prepare_cached(
            "UPDATE connections SET removed_at = :now WHERE id = :id AND removed_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM grants WHERE connection_id = :id AND revoked_at IS NULL)",
        )?
        .execute(named_params! { ":now": now.as_millis(), ":id": connection_id })?;
    if removed == 1 {
        conn.prepare_cached(
            "INSERT INTO removals (connection_id, reason, attempts, next_try) VALUES (?1, ?2, 0, ?3)",
        )?
        .execute((connection_id, rows::reason_code(reason), now.as_millis()))?;
    }
    Ok(())
}

pub(super) fn due(
    conn: &Sqlite,
    keyring: &Keyring,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Removal>, StoreError> {
    let sql = format!(
        "SELECT reason, attempts, {} FROM removals JOIN connections ON connections.id = removals.connection_id \
         WHERE next_try <= ?1 ORDER BY next_try",
        rows::CONNECTION
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([now.as_millis()])?;
    let mut due = Vec::new();
    while due.len() < limit {
        let Some(row) = found.next()? else { break };
        let mut columns = Columns::of(row);
        let reason = rows::reason(columns.next()?)?;
        let attempts = columns.next()?;
        match rows::connection(&mut columns, keyring) {
            Ok(connection) => due.push(Removal {
                connection,
                reason,
                attempts,
            }),
            // One that does not open must not stand in the way of all others; its wish stays in the queue.
            Err(StoreError::Sealed(error)) => {
                tracing::error!(%error, "a connection to be removed does not open");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(due)
}

pub(super) fn finish(conn: &Sqlite, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM removals WHERE connection_id = ?1")?
        .execute([id.0.as_bytes()])?;
    conn.prepare_cached("UPDATE connections SET removed_at = ?1 WHERE id = ?2 AND removed_at IS NULL")?
        .execute((now.as_millis(), id.0.as_bytes()))?;
    Ok(())
}

pub(super) fn postpone(conn: &Sqlite, id: ConnectionId, next_try: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE removals SET attempts = attempts + 1, next_try = ?1 WHERE connection_id = ?2",
    )?
    .execute((next_try.as_millis(), id.0.as_bytes()))?;
    Ok(())
}

/// Forgets transactions that came to nothing, and the public tokens of connections that are gone.
pub(super) fn purge(conn: &Sqlite, before: Timestamp) -> Result<u64, StoreError> {
    let transactions = conn
        .prepare_cached("DELETE FROM transactions WHERE stage IN (0, 3, 4) AND expires_at < ?1")?
        .execute([before.as_millis()])?;
    let public_tokens = conn
        .prepare_cached(
            "UPDATE connections SET public_token = NULL \
             WHERE removed_at IS NOT NULL AND public_token IS NOT NULL AND created_at < ?1",
        )?
        .execute([before.as_millis()])?;
    Ok(u64::try_from(transactions.saturating_add(public_tokens)).unwrap_or(u64::MAX))
}
