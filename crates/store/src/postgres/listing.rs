//! What operators see and end: connections with their grants, never a token.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::audit;
use super::failure::Failure;
use super::pool::Conn;
use super::removals::{self, Unused};
use super::rows::Cells;
use crate::CHANGED_AT_ONCE;
use crate::model::{
    ConnectionFilter, ConnectionId, ConnectionKey, ConnectionSummary, EndTarget, Ended, GrantId,
    GrantSummary, RemovalReason,
};
use crate::rows::Columns as _;
use crate::rows::listing::{self, GRANT, SUMMARY, Targets};
use crate::rules::unsigned;
use crate::trail::Trail;

/// The connections with their grants, which one more statement reads for all of them.
async fn with_grants(conn: &Conn, rows: &[Row]) -> Result<Vec<ConnectionSummary>, Failure> {
    let mut listed = Vec::new();
    for row in rows {
        listed.push(listing::summary(&mut Cells::of(row))?);
    }
    let ids: Vec<Uuid> = listed.iter().map(|connection| connection.id.0).collect();
    let sql = format!(
        "SELECT grants.connection_id, {GRANT} WHERE grants.connection_id = ANY($1) ORDER BY grants.id"
    );
    let mut grants: BTreeMap<Uuid, Vec<GrantSummary>> = BTreeMap::new();
    for row in conn.query(&sql, &[&ids]).await? {
        let mut cells = Cells::of(&row);
        let of = cells.id()?;
        grants.entry(of).or_default().push(listing::grant(&mut cells)?);
    }
    for connection in &mut listed {
        connection.grants = grants.remove(&connection.id.0).unwrap_or_default();
    }
    Ok(listed)
}

/// The newest first, which is the order of the ids.
pub(super) async fn list(conn: &Conn, filter: &ConnectionFilter) -> Result<Vec<ConnectionSummary>, Failure> {
    let sql = format!(
        "{SUMMARY} WHERE ($1::uuid IS NULL OR connections.id < $1) \
         AND ($2::text IS NULL OR connections.item_id = $2) AND ($3::text IS NULL OR {}){} \
         ORDER BY connections.id DESC LIMIT $4",
        listing::of_client("$3"),
        listing::in_state(filter.state)
    );
    let before = filter.before.map(|id| id.0);
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let rows = conn
        .query(&sql, &[&before, &filter.item_id, &filter.client_id, &limit])
        .await?;
    with_grants(conn, &rows).await
}

/// One connection. Of several of one Item, the newest that lives, else the newest.
pub(super) async fn show(conn: &Conn, key: &ConnectionKey) -> Result<Option<ConnectionSummary>, Failure> {
    let sql = format!(
        "{SUMMARY} WHERE connections.id = $1 OR connections.item_id = $2 \
         ORDER BY connections.removed_at IS NOT NULL, connections.id DESC LIMIT 1"
    );
    let (id, item_id) = split(key);
    let rows = conn.query(&sql, &[&id, &item_id]).await?;
    Ok(with_grants(conn, &rows).await?.into_iter().next())
}

fn split(key: &ConnectionKey) -> (Option<Uuid>, Option<&str>) {
    match key {
        ConnectionKey::Id(id) => (Some(id.0), None),
        ConnectionKey::Item(item_id) => (None, Some(item_id)),
    }
}

/// Takes the locks of these connections until the decision is committed, all in one order.
pub(super) async fn lock(conn: &Conn, ids: &[Uuid]) -> Result<(), Failure> {
    let sql = "SELECT id FROM connections WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    conn.query(sql, &[&ids]).await?;
    Ok(())
}

/// The next connections, in the order of their ids.
pub(super) async fn targets(
    conn: &Conn,
    target: &EndTarget,
    after: Option<ConnectionId>,
) -> Result<Targets, Failure> {
    let sql = listing::targets(target, '$');
    let after = after.map_or_else(Uuid::nil, |id| id.0);
    let rows = match target {
        EndTarget::One(ConnectionKey::Id(id)) => conn.query(&sql, &[&after, &CHANGED_AT_ONCE, &id.0]).await?,
        EndTarget::One(ConnectionKey::Item(name)) | EndTarget::Client(name) => {
            conn.query(&sql, &[&after, &CHANGED_AT_ONCE, name]).await?
        }
        EndTarget::All => conn.query(&sql, &[&after, &CHANGED_AT_ONCE]).await?,
    };
    let mut targets = Targets::default();
    for row in &rows {
        targets.add(&mut Cells::of(row))?;
    }
    Ok(targets)
}

/// Ends these: grants first (of one client alone, if one is named), then each connection that no live grant uses any more.
pub(super) async fn end(
    conn: &Conn,
    ids: &[ConnectionId],
    client: Option<&str>,
    trail: &Trail,
) -> Result<Ended, Failure> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    lock(conn, &ids).await?;
    let grants = end_grants(conn, &ids, client, trail).await?;
    let unused = made_for(conn, &ids).await?;
    let connections = removals::queue_unless_granted(conn, unused, RemovalReason::Revoked, trail).await?;
    Ok(Ended {
        found: 0,
        grants,
        connections,
    })
}

/// Ends the live grants of these connections: all, or those of one client.
async fn end_grants(conn: &Conn, ids: &[Uuid], client: Option<&str>, trail: &Trail) -> Result<u64, Failure> {
    let rows = conn
        .query(
            "UPDATE grants SET revoked_at = $1 WHERE connection_id = ANY($2) AND revoked_at IS NULL \
             AND ($3::text IS NULL OR client_id = $3) RETURNING id, client_id, connection_id",
            &[&trail.now.as_millis(), &ids, &client],
        )
        .await?;
    let mut told = Vec::new();
    for row in &rows {
        let mut cells = Cells::of(row);
        let (grant, client_id) = (GrantId(cells.id()?), cells.text()?);
        told.push(trail.revoked(grant, &client_id, ConnectionId(cells.id()?)));
    }
    audit::write_all(conn, told, trail.now).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

async fn made_for(conn: &Conn, ids: &[Uuid]) -> Result<Vec<Unused>, Failure> {
    let rows = conn
        .query(
            "SELECT connections.id, coalesce(connections.client_id, transactions.client_id) FROM connections \
             LEFT JOIN transactions ON transactions.id = connections.transaction_id WHERE connections.id = ANY($1) \
             ORDER BY connections.id",
            &[&ids],
        )
        .await?;
    let mut unused = Vec::new();
    for row in &rows {
        let mut cells = Cells::of(row);
        unused.push(Unused {
            connection: ConnectionId(cells.id()?),
            client_id: cells.optional_text()?,
        });
    }
    Ok(unused)
}

/// How many connections there are, ended ones included.
pub(super) async fn count(conn: &Conn) -> Result<u64, Failure> {
    let row = conn.one("SELECT count(*) FROM connections", &[]).await?;
    Ok(unsigned(Cells::of(&row).number()?))
}
