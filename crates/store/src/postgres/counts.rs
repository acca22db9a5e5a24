//! How many of what there are.

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::clock::Timestamp;
use crate::model::Counts;
use crate::rows::{Columns as _, stage};
use crate::rules::unsigned;

pub(super) async fn count(conn: &Conn, now: Timestamp) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let by_health = conn
        .query(
            "SELECT coalesce(connection_health.health, 'unasked'), count(*) FROM connections \
             LEFT JOIN connection_health ON connection_health.connection_id = connections.id \
             WHERE connections.removed_at IS NULL GROUP BY 1",
            &[],
        )
        .await?;
    for row in &by_health {
        let mut cells = Cells::of(row);
        counts
            .live_by_health
            .insert(cells.text()?, unsigned(cells.number()?));
    }
    let row = conn
        .one(
            "SELECT (SELECT count(*) FROM removals), \
                 (SELECT count(*) FROM connections WHERE removed_at IS NOT NULL) - (SELECT count(*) FROM removals), \
                 (SELECT count(*) FROM grants WHERE revoked_at IS NULL), \
                 (SELECT min(connections.removed_at) FROM removals \
                     JOIN connections ON connections.id = removals.connection_id)",
            &[],
        )
        .await?;
    let mut cells = Cells::of(&row);
    counts.ending = unsigned(cells.number()?);
    counts.removed = unsigned(cells.number()?);
    counts.grants = unsigned(cells.number()?);
    counts.oldest_removal = cells.optional_moment()?.map(|oldest| now.since(oldest));
    let by_stage = conn
        .query(
            "SELECT stage, count(*), \
                 count(*) FILTER (WHERE stage = 1 AND client_id IS NOT NULL AND code_expires_at > $1) \
             FROM transactions GROUP BY stage",
            &[&now.as_millis()],
        )
        .await?;
    for row in &by_stage {
        let mut cells = Cells::of(row);
        let name = stage::name(cells.number()?)?;
        counts.transactions.insert(name, unsigned(cells.number()?));
        counts.codes_outstanding += unsigned(cells.number()?);
    }
    Ok(counts)
}

/// Bytes of the store's tables and indexes.
pub(super) async fn size(conn: &Conn) -> Result<u64, Failure> {
    let row = conn
        .one(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class \
             WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'meta'::regclass) AND relkind = 'r'",
            &[],
        )
        .await?;
    Ok(unsigned(Cells::of(&row).number()?))
}
