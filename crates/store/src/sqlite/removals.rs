//! What ends: codes that nobody redeemed, Items that are to be removed at Plaid, rows that may be forgotten.

use rusqlite::{Connection as Sqlite, named_params};
use uuid::Uuid;

use super::rows::Cells;
use super::{audit, connections, transactions};
use crate::CHANGED_AT_ONCE;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{
    Abandonment, AuditEvent, ConnectionId, PublicTokenHash, PublicTokenOwner, RemovalReason, TakenRemovals,
    TransactionId,
};
use crate::rows::{self, Columns as _, stage};
use crate::sealed::SealedConnection;
use crate::trail::Trail;

/// Each begins at one of the two partial indexes on `stage_at`.
pub(super) const UNREDEEMED: &str = "UPDATE transactions SET stage = ?1, stage_at = ?2 WHERE id IN \
     (SELECT id FROM transactions WHERE stage = 1 AND client_id IS NOT NULL AND stage_at < ?3 ORDER BY stage_at LIMIT ?4) \
     RETURNING id, connection_id, client_id";
pub(super) const SESSIONS: &str = "UPDATE transactions SET stage = ?1, stage_at = ?2 WHERE id IN \
     (SELECT id FROM transactions WHERE stage = 1 AND client_id IS NULL AND stage_at < ?3 ORDER BY stage_at LIMIT ?4) \
     RETURNING id, connection_id, client_id";

/// Ends what was completed before those moments and not used, and queues the removal of what it made: a bounded number of
/// each.
pub(super) fn abandon(conn: &Sqlite, abandonment: Abandonment, trail: &Trail) -> Result<u64, StoreError> {
    let mut abandoned: Vec<([u8; 16], [u8; 16], Option<String>)> = Vec::new();
    for (sql, before) in [
        (UNREDEEMED, abandonment.unredeemed_before),
        (SESSIONS, abandonment.sessions_before),
    ] {
        let mut moving = conn.prepare_cached(sql)?;
        let moved = (
            stage::ABANDONED,
            trail.now.as_millis(),
            before.as_millis(),
            CHANGED_AT_ONCE,
        );
        let rows = moving.query_map(moved, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for row in rows {
            abandoned.push(row?);
        }
    }
    let count = u64::try_from(abandoned.len()).unwrap_or(u64::MAX);
    for (transaction, connection, client_id) in abandoned {
        let connection = ConnectionId(Uuid::from_bytes(connection));
        let transaction = TransactionId(Uuid::from_bytes(transaction));
        let row = trail.abandoned(transaction, connection, client_id.clone());
        audit::write(conn, &row, trail.now)?;
        queue_unless_granted(conn, connection, client_id, RemovalReason::Unredeemed, trail)?;
    }
    Ok(count)
}

/// Stores a connection that nobody wants, only to have it removed.
pub(super) fn discard(
    conn: &Sqlite,
    sealed: &SealedConnection,
    public_token: PublicTokenHash,
    owner: &PublicTokenOwner,
    trail: &Trail,
) -> Result<bool, StoreError> {
    if connections::find_public_token(conn, public_token)?.is_some() {
        return Ok(false);
    }
    connections::insert(conn, sealed, Some(public_token), owner, trail.now)?;
    let client_id = match owner {
        PublicTokenOwner::Transaction(_) => None,
        PublicTokenOwner::Client { client_id, .. } => Some(client_id.clone()),
    };
    queue_unless_granted(conn, sealed.id(), client_id, RemovalReason::Unredeemed, trail)?;
    Ok(true)
}

/// Gives whether the connection was ended now.
pub(super) fn queue_unless_granted(
    conn: &Sqlite,
    connection: ConnectionId,
    client_id: Option<String>,
    reason: RemovalReason,
    trail: &Trail,
) -> Result<bool, StoreError> {
    let (now, id) = (trail.now.as_millis(), connection.0.as_bytes());
    let removed = conn
        .prepare_cached(
            "UPDATE connections SET removed_at = :now WHERE id = :id AND removed_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM grants WHERE connection_id = :id AND revoked_at IS NULL)",
        )?
        .execute(named_params! { ":now": now, ":id": id })?;
    if removed == 0 {
        return Ok(false);
    }
    conn.prepare_cached(
        "INSERT INTO removals (connection_id, reason, attempts, next_try) VALUES (?1, ?2, 0, ?3)",
    )?
    .execute((id, rows::reason_code(reason), now))?;
    audit::write(conn, &trail.ended(connection, client_id, reason), trail.now)?;
    Ok(true)
}

/// The first rows of the index on `next_try`, which is in the order of the ids where that is equal.
pub(super) fn due() -> String {
    format!(
        "SELECT removals.connection_id, reason, attempts, {} FROM removals \
         JOIN connections ON connections.id = removals.connection_id \
         WHERE next_try <= ?1 ORDER BY next_try LIMIT ?2",
        rows::CONNECTION
    )
}

/// The lease is the next try, moved on: when it runs out, the removal is due again.
pub(super) fn take(
    conn: &Sqlite,
    keyring: &Keyring,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<TakenRemovals, StoreError> {
    let mut ids = Vec::new();
    let mut removals = Vec::new();
    {
        let mut statement = conn.prepare_cached(&due())?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = statement.query((now.as_millis(), limit))?;
        while let Some(row) = found.next()? {
            let mut cells = Cells::of(row);
            ids.push(cells.id()?);
            removals.extend(rows::removal(&mut cells, keyring)?);
        }
    }
    let mut lease = conn.prepare_cached("UPDATE removals SET next_try = ?1 WHERE connection_id = ?2")?;
    for id in &ids {
        lease.execute((until.as_millis(), id.as_bytes()))?;
    }
    Ok(TakenRemovals {
        removals,
        leased: ids.len(),
    })
}

pub(super) fn finish(
    conn: &Sqlite,
    id: ConnectionId,
    event: AuditEvent,
    trail: &Trail,
) -> Result<(), StoreError> {
    let queued = conn
        .prepare_cached("DELETE FROM removals WHERE connection_id = ?1")?
        .execute([id.0.as_bytes()])?;
    let ended = conn
        .prepare_cached("UPDATE connections SET removed_at = ?1 WHERE id = ?2 AND removed_at IS NULL")?
        .execute((trail.now.as_millis(), id.0.as_bytes()))?;
    if queued + ended > 0 {
        audit::write(conn, &trail.finished(event, id), trail.now)?;
    }
    Ok(())
}

pub(super) fn postpone(conn: &Sqlite, id: ConnectionId, next_try: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE removals SET attempts = attempts + 1, next_try = ?1 WHERE connection_id = ?2",
    )?
    .execute((next_try.as_millis(), id.0.as_bytes()))?;
    Ok(())
}

/// Each begins at a partial index.
pub(super) const PURGE_TRANSACTIONS: &str = "DELETE FROM transactions WHERE id IN \
     (SELECT id FROM transactions WHERE stage IN (0, 3, 4) AND expires_at < ?1 LIMIT ?2) RETURNING id";
pub(super) const PURGE_PUBLIC_TOKENS: &str = "UPDATE connections SET public_token = NULL WHERE id IN \
     (SELECT id FROM connections WHERE removed_at IS NOT NULL AND public_token IS NOT NULL AND created_at < ?1 LIMIT ?2)";

/// Forgets transactions that came to nothing, and the public tokens of connections that are gone: a bounded number of each.
pub(super) fn purge(conn: &Sqlite, before: Timestamp) -> Result<u64, StoreError> {
    let values = (before.as_millis(), CHANGED_AT_ONCE);
    let transactions = conn
        .prepare_cached(PURGE_TRANSACTIONS)?
        .query_map(values, |row| Ok(TransactionId(Uuid::from_bytes(row.get(0)?))))?
        .collect::<Result<Vec<_>, _>>()?;
    for id in &transactions {
        transactions::forget_link_tokens(conn, *id)?;
    }
    let public_tokens = conn.prepare_cached(PURGE_PUBLIC_TOKENS)?.execute(values)?;
    Ok(u64::try_from(transactions.len().saturating_add(public_tokens)).unwrap_or(u64::MAX))
}
