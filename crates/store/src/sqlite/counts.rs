//! How many of what there are.

use rusqlite::Connection as Sqlite;

use super::listing;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::Counts;
use crate::rows::stage;
use crate::rules::unsigned;

pub(super) fn count(conn: &Sqlite, now: Timestamp) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    {
        let mut statement = conn.prepare_cached(
            "SELECT coalesce(connection_health.health, 'unasked'), count(*) FROM connections \
             LEFT JOIN connection_health ON connection_health.connection_id = connections.id \
             WHERE connections.removed_at IS NULL GROUP BY 1",
        )?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            counts.live_by_health.insert(row.get(0)?, unsigned(row.get(1)?));
        }
    }
    counts.ending = one(conn, "SELECT count(*) FROM removals")?;
    counts.removed = one(
        conn,
        "SELECT (SELECT count(*) FROM connections WHERE removed_at IS NOT NULL) - (SELECT count(*) FROM removals)",
    )?;
    counts.grants = one(conn, "SELECT count(*) FROM grants WHERE revoked_at IS NULL")?;
    counts.oldest_removal = listing::oldest_removal(conn)?.map(|oldest| now.since(oldest));
    {
        let mut statement = conn.prepare_cached(
            "SELECT stage, count(*), sum(stage = 1 AND client_id IS NOT NULL AND code_expires_at > ?1) \
             FROM transactions GROUP BY stage",
        )?;
        let mut found = statement.query([now.as_millis()])?;
        while let Some(row) = found.next()? {
            let name = stage::name(row.get(0)?)?;
            counts.transactions.insert(name, unsigned(row.get(1)?));
            counts.codes_outstanding += unsigned(row.get::<_, Option<i64>>(2)?.unwrap_or(0));
        }
    }
    Ok(counts)
}

/// Bytes of the database and of the write-ahead log beside it.
pub(super) fn size(conn: &Sqlite) -> Result<u64, StoreError> {
    let path = conn
        .path()
        .ok_or(StoreError::Unavailable("it has no file"))?
        .to_owned();
    let length = |path: String| std::fs::metadata(path).map_or(0, |file| file.len());
    Ok(length(format!("{path}-wal")) + length(path))
}

fn one(conn: &Sqlite, sql: &str) -> Result<u64, StoreError> {
    Ok(unsigned(
        conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?,
    ))
}
