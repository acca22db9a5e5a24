//! How many of what there are. Counting reads every row, so a count of many is told again for a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection as Sqlite;

use super::listing;
use super::rows::stage;
use crate::clock::Timestamp;
use crate::store::error::StoreError;
use crate::store::model::Counts;

/// A count is told again for so many times what it took: counting never takes more than a hundredth of a core.
const PAUSE_FACTOR: u32 = 100;
/// So few connections and transactions are counted anew each time.
const FEW: u64 = 20_000;

/// The last count.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    counts: Counts,
    took: Duration,
    at: Instant,
}

impl Counted {
    /// What was counted lately, when counting takes its time.
    pub(super) fn recent(&self) -> Option<Counts> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref()?;
        let holds = rows(&last.counts) > FEW && last.at.elapsed() < last.took.saturating_mul(PAUSE_FACTOR);
        holds.then(|| last.counts.clone())
    }

    /// Keeps what was counted since `began`.
    pub(super) fn keep(&self, counts: &Counts, began: Instant) {
        let last = Last {
            counts: counts.clone(),
            took: began.elapsed(),
            at: Instant::now(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

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

fn rows(counts: &Counts) -> u64 {
    let transactions: u64 = counts.transactions.values().sum();
    counts.live() + counts.ending + counts.removed + transactions
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

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
