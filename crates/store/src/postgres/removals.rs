//! What ends: codes that nobody redeemed, Items that are to be removed at Plaid, rows that may be forgotten.
//!
//! Several instances may do all of this at the same moment. Abandoning, purging and leasing pass over rows that another one
//! has locked. Where a lease ran out while its instance still worked, two instances ask Plaid to remove the same Item: the
//! second one is answered that it is not there, which counts as removed, and what a removal writes is written once.

use uuid::Uuid;

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use super::{audit, connections, listing};
use crate::CHANGED_AT_ONCE;
use crate::clock::Timestamp;
use crate::keyring::Keyring;
use crate::model::{
    Abandonment, AuditEvent, ConnectionId, NewAudit, PublicTokenHash, PublicTokenOwner, RemovalReason,
    TakenRemovals, TransactionId,
};
use crate::rows::{self, Columns as _, stage};
use crate::sealed::SealedConnection;
use crate::trail::Trail;

/// Ends what was completed before those moments and not used, and queues the removal of what it made: a bounded number of
/// each.
pub(super) async fn abandon(conn: &Conn, abandonment: Abandonment, trail: &Trail) -> Result<u64, Failure> {
    let mut told: Vec<NewAudit> = Vec::new();
    let mut unused = Vec::new();
    for (whose, before) in [
        ("client_id IS NOT NULL", abandonment.unredeemed_before),
        ("client_id IS NULL", abandonment.sessions_before),
    ] {
        let sql = format!(
            "WITH taken AS MATERIALIZED (SELECT id FROM transactions WHERE stage = 1 AND {whose} AND stage_at < $3 \
                 ORDER BY stage_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED) \
             UPDATE transactions SET stage = $1, stage_at = $2 FROM taken WHERE transactions.id = taken.id \
             RETURNING transactions.id, connection_id, client_id"
        );
        let values: super::pool::Values<'_> = &[
            &stage::ABANDONED,
            &trail.now.as_millis(),
            &before.as_millis(),
            &CHANGED_AT_ONCE,
        ];
        for row in conn.query(&sql, values).await? {
            let mut cells = Cells::of(&row);
            let (transaction, connection) = (TransactionId(cells.id()?), ConnectionId(cells.id()?));
            let client_id = cells.optional_text()?;
            told.push(trail.abandoned(transaction, connection, client_id.clone()));
            unused.push(Unused {
                connection,
                client_id,
            });
        }
    }
    let count = u64::try_from(told.len()).unwrap_or(u64::MAX);
    if count == 0 {
        return Ok(0);
    }
    let ids: Vec<Uuid> = unused.iter().map(|unused| unused.connection.0).collect();
    listing::lock(conn, &ids).await?;
    audit::write_all(conn, told, trail.now).await?;
    queue_unless_granted(conn, unused, RemovalReason::Unredeemed, trail).await?;
    Ok(count)
}

/// Stores a connection that nobody wants, only to have it removed; unless its public token's is stored already.
pub(super) async fn discard(
    conn: &Conn,
    sealed: &SealedConnection,
    public_token: PublicTokenHash,
    owner: &PublicTokenOwner,
    trail: &Trail,
) -> Result<bool, Failure> {
    // This waits for a commit of the same token that is still under way.
    if !connections::insert(conn, sealed, Some(public_token), owner, trail.now).await? {
        return Ok(false);
    }
    let unused = Unused {
        connection: sealed.id(),
        client_id: match owner {
            PublicTokenOwner::Transaction(_) => None,
            PublicTokenOwner::Client { client_id, .. } => Some(client_id.clone()),
        },
    };
    queue_unless_granted(conn, vec![unused], RemovalReason::Unredeemed, trail).await?;
    Ok(true)
}

/// A connection that may be of no use to anybody any more, and whose it was.
pub(super) struct Unused {
    pub(super) connection: ConnectionId,
    pub(super) client_id: Option<String>,
}

/// Ends those that have no live grant and queues their removal. Their rows are locked already. Gives how many.
pub(super) async fn queue_unless_granted(
    conn: &Conn,
    unused: Vec<Unused>,
    reason: RemovalReason,
    trail: &Trail,
) -> Result<u64, Failure> {
    let ids: Vec<Uuid> = unused.iter().map(|unused| unused.connection.0).collect();
    let rows = conn
        .query(
            "WITH ended AS (UPDATE connections SET removed_at = $1 WHERE id = ANY($2) AND removed_at IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM grants WHERE connection_id = connections.id AND revoked_at IS NULL) \
                 RETURNING id) \
             INSERT INTO removals (connection_id, reason, attempts, next_try) SELECT id, $3, 0, $1 FROM ended \
             RETURNING connection_id",
            &[&trail.now.as_millis(), &ids, &rows::reason_code(reason)],
        )
        .await?;
    let mut ended = std::collections::BTreeSet::new();
    for row in &rows {
        ended.insert(ConnectionId(Cells::of(row).id()?));
    }
    let told = unused
        .into_iter()
        .filter(|unused| ended.remove(&unused.connection))
        .map(|unused| trail.ended(unused.connection, unused.client_id, reason))
        .collect();
    audit::write_all(conn, told, trail.now).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// The lease is the next try, moved on: when it runs out, the removal is due again.
pub(super) async fn take(
    conn: &Conn,
    keyring: &Keyring,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<TakenRemovals, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT connection_id, next_try FROM removals WHERE next_try <= $1 \
             ORDER BY next_try LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED), \
         leased AS (UPDATE removals SET next_try = $3 FROM due WHERE removals.connection_id = due.connection_id \
             RETURNING removals.connection_id, reason, attempts, due.next_try AS was_due) \
         SELECT reason, attempts, {} FROM leased JOIN connections ON connections.id = leased.connection_id \
         ORDER BY was_due",
        rows::CONNECTION
    );
    let rows = conn
        .query(&sql, &[&now.as_millis(), &limit, &until.as_millis()])
        .await?;
    let mut taken = TakenRemovals {
        leased: rows.len(),
        ..TakenRemovals::default()
    };
    for row in &rows {
        let removal = rows::removal(&mut Cells::of(row), keyring)?;
        taken.removals.extend(removal);
    }
    Ok(taken)
}

pub(super) async fn finish(
    conn: &Conn,
    id: ConnectionId,
    event: AuditEvent,
    trail: &Trail,
) -> Result<(), Failure> {
    listing::lock(conn, &[id.0]).await?;
    let queued = conn
        .execute("DELETE FROM removals WHERE connection_id = $1", &[&id.0])
        .await?;
    let ended = conn
        .execute(
            "UPDATE connections SET removed_at = $1 WHERE id = $2 AND removed_at IS NULL",
            &[&trail.now.as_millis(), &id.0],
        )
        .await?;
    if queued + ended > 0 {
        audit::write(conn, trail.finished(event, id), trail.now).await?;
    }
    Ok(())
}

pub(super) async fn postpone(conn: &Conn, id: ConnectionId, next_try: Timestamp) -> Result<(), Failure> {
    conn.execute(
        "UPDATE removals SET attempts = attempts + 1, next_try = $1 WHERE connection_id = $2",
        &[&next_try.as_millis(), &id.0],
    )
    .await?;
    Ok(())
}

/// Forgets transactions that came to nothing, and the public tokens of connections that are gone: a bounded number of each.
pub(super) async fn purge(conn: &Conn, before: Timestamp) -> Result<u64, Failure> {
    let values: super::pool::Values<'_> = &[&before.as_millis(), &CHANGED_AT_ONCE];
    let transactions = conn
        .execute(
            "WITH old AS MATERIALIZED (SELECT id FROM transactions WHERE stage IN (0, 3, 4) AND expires_at < $1 \
                 LIMIT $2 FOR UPDATE SKIP LOCKED) \
             DELETE FROM transactions USING old WHERE transactions.id = old.id",
            values,
        )
        .await?;
    let public_tokens = conn
        .execute(
            "WITH old AS MATERIALIZED (SELECT id FROM connections WHERE removed_at IS NOT NULL \
                 AND public_token IS NOT NULL AND created_at < $1 LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) \
             UPDATE connections SET public_token = NULL FROM old WHERE connections.id = old.id",
            values,
        )
        .await?;
    Ok(transactions + public_tokens)
}
