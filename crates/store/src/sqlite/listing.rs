//! What operators see and end: connections with their grants, never a token.

use rusqlite::{Connection as Sqlite, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::rows::Cells;
use super::{grants, removals};
use crate::CHANGED_AT_ONCE;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    ConnectionFilter, ConnectionId, ConnectionKey, ConnectionSummary, EndTarget, Ended, GrantId,
    GrantSummary, RemovalReason,
};
use crate::rows::listing::{self, GRANT, SUMMARY, Targets};
use crate::rules::unsigned;
use crate::trail::Trail;

fn grants_of(conn: &Sqlite, id: ConnectionId) -> Result<Vec<GrantSummary>, StoreError> {
    let sql = format!("SELECT {GRANT} WHERE grants.connection_id = ?1 ORDER BY grants.id");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([id.0.as_bytes()])?;
    let mut grants = Vec::new();
    while let Some(row) = found.next()? {
        grants.push(listing::grant(&mut Cells::of(row))?);
    }
    Ok(grants)
}

/// The newest first, which is the order of the ids.
pub(super) fn list(conn: &Sqlite, filter: &ConnectionFilter) -> Result<Vec<ConnectionSummary>, StoreError> {
    let sql = format!(
        "{SUMMARY} WHERE (:before IS NULL OR connections.id < :before) \
         AND (:item IS NULL OR connections.item_id = :item) AND (:client IS NULL OR {}){} \
         ORDER BY connections.id DESC LIMIT :limit",
        listing::of_client(":client"),
        listing::in_state(filter.state)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query(named_params! {
        ":before": filter.before.map(|id| *id.0.as_bytes()),
        ":item": filter.item_id,
        ":client": filter.client_id,
        ":limit": i64::try_from(filter.limit).unwrap_or(i64::MAX),
    })?;
    let mut listed = Vec::new();
    while let Some(row) = found.next()? {
        let mut connection = listing::summary(&mut Cells::of(row))?;
        connection.grants = grants_of(conn, connection.id)?;
        listed.push(connection);
    }
    Ok(listed)
}

/// One connection. Of several of one Item, the newest that lives, else the newest.
pub(super) fn show(conn: &Sqlite, key: &ConnectionKey) -> Result<Option<ConnectionSummary>, StoreError> {
    let by = match key {
        ConnectionKey::Id(_) => "connections.id = ?1",
        ConnectionKey::Item(_) => "connections.item_id = ?1",
    };
    let sql = format!(
        "{SUMMARY} WHERE {by} ORDER BY connections.removed_at IS NOT NULL, connections.id DESC LIMIT 1"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = match key {
        ConnectionKey::Id(id) => statement.query([id.0.as_bytes()])?,
        ConnectionKey::Item(item_id) => statement.query([item_id])?,
    };
    let Some(row) = found.next()? else { return Ok(None) };
    let mut connection = listing::summary(&mut Cells::of(row))?;
    connection.grants = grants_of(conn, connection.id)?;
    Ok(Some(connection))
}

/// The next connections, in the order of their ids.
pub(super) fn targets(
    conn: &Sqlite,
    target: &EndTarget,
    after: Option<ConnectionId>,
) -> Result<Targets, StoreError> {
    let after = after.map_or([0; 16], |id| *id.0.as_bytes());
    let mut statement = conn.prepare_cached(&listing::targets(target, '?'))?;
    let mut found = match target {
        EndTarget::One(ConnectionKey::Id(id)) => {
            statement.query((after, CHANGED_AT_ONCE, id.0.as_bytes()))?
        }
        EndTarget::One(ConnectionKey::Item(name)) | EndTarget::Client(name) => {
            statement.query((after, CHANGED_AT_ONCE, name))?
        }
        EndTarget::All => statement.query((after, CHANGED_AT_ONCE))?,
    };
    let mut targets = Targets::default();
    while let Some(row) = found.next()? {
        targets.add(&mut Cells::of(row))?;
    }
    Ok(targets)
}

/// Ends these: grants first (of one client alone, if one is named), then each connection that no live grant uses any more.
pub(super) fn end(
    conn: &Sqlite,
    ids: &[ConnectionId],
    client: Option<&str>,
    trail: &Trail,
) -> Result<Ended, StoreError> {
    let mut ended = Ended::default();
    for &connection in ids {
        for (grant, client_id) in live_grants(conn, connection, client)? {
            grants::end(conn, grant, &client_id, connection, trail)?;
            ended.grants += 1;
        }
        let made_for = made_for(conn, connection)?;
        let queued =
            removals::queue_unless_granted(conn, connection, made_for, RemovalReason::Revoked, trail)?;
        ended.connections += u64::from(queued);
    }
    Ok(ended)
}

/// Its live grants: all, or those of one client.
fn live_grants(
    conn: &Sqlite,
    connection: ConnectionId,
    client: Option<&str>,
) -> Result<Vec<(GrantId, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, client_id FROM grants \
         WHERE connection_id = ?1 AND revoked_at IS NULL AND (?2 IS NULL OR client_id = ?2)",
    )?;
    let found = statement.query_map((connection.0.as_bytes(), client), |row| {
        Ok((GrantId(Uuid::from_bytes(row.get(0)?)), row.get(1)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn made_for(conn: &Sqlite, connection: ConnectionId) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(connections.client_id, transactions.client_id) FROM connections \
         LEFT JOIN transactions ON transactions.id = connections.transaction_id WHERE connections.id = ?1",
    )?;
    let found = statement
        .query_row([connection.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// How many connections there are, ended ones included.
pub(super) fn count(conn: &Sqlite) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached("SELECT count(*) FROM connections")?;
    Ok(unsigned(statement.query_row([], |row| row.get(0))?))
}

/// See [`Counts`](crate::model::Counts).
pub(super) fn oldest_removal(conn: &Sqlite) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT min(connections.removed_at) FROM removals JOIN connections ON connections.id = removals.connection_id",
    )?;
    let oldest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(oldest.map(Timestamp::from_millis))
}
