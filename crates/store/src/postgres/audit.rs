//! The audit log: rows in the commit of what they tell of, batches of what changes nothing, and reading both.

use uuid::Uuid;

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::clock::Timestamp;
use crate::model::{AuditQuery, AuditRecord, Batch, NewAudit, Noted};
use crate::rows::Columns as _;
use crate::rows::audit::{RECORD, Sieve, record};
use crate::{FORGOTTEN_AT_ONCE, trail};

/// Rows that are read at once.
const PAGE: i64 = 500;

pub(super) async fn write(conn: &Conn, new: NewAudit, now: Timestamp) -> Result<(), Failure> {
    write_all(conn, vec![new], now).await
}

/// Rows of one decision, in this order. Written when the decision has all the locks it needs: whoever follows the log waits
/// for it to be committed, and others wait behind that one.
pub(super) async fn write_all(conn: &Conn, rows: Vec<NewAudit>, now: Timestamp) -> Result<(), Failure> {
    let noted = rows.into_iter().map(|new| Noted {
        new,
        at: now,
        last_at: now,
        times: 1,
    });
    insert(conn, &noted.collect::<Vec<_>>()).await
}

async fn insert(conn: &Conn, rows: &[Noted]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let of = |value: fn(&Noted) -> i64| rows.iter().map(value).collect::<Vec<_>>();
    let words =
        |value: fn(&NewAudit) -> &'static str| rows.iter().map(|row| value(&row.new)).collect::<Vec<_>>();
    let texts =
        |value: fn(&NewAudit) -> Option<&str>| rows.iter().map(|row| value(&row.new)).collect::<Vec<_>>();
    let ids =
        |value: fn(&NewAudit) -> Option<Uuid>| rows.iter().map(|row| value(&row.new)).collect::<Vec<_>>();
    let addresses: Vec<Option<String>> = rows
        .iter()
        .map(|row| row.new.address.map(|address| address.to_string()))
        .collect();
    conn.execute(
        "INSERT INTO audit (at, event, outcome, actor, client_id, transaction_id, connection_id, grant_id, address, \
             request_id, detail, times, last_at) \
         SELECT at, event, outcome, actor, client_id, transaction_id, connection_id, grant_id, address, request_id, detail, \
             times, last_at \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], \
             $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[]) WITH ORDINALITY \
             AS row (at, event, outcome, actor, client_id, transaction_id, connection_id, grant_id, address, request_id, \
                 detail, times, last_at, place) \
         ORDER BY place",
        &[
            &of(|row| row.at.as_millis()),
            &words(|new| new.event.as_str()),
            &words(|new| new.outcome.as_str()),
            &words(|new| new.actor.as_str()),
            &texts(|new| new.client_id.as_deref()),
            &ids(|new| new.transaction_id.map(|id| id.0)),
            &ids(|new| new.connection_id.map(|id| id.0)),
            &ids(|new| new.grant_id.map(|id| id.0)),
            &addresses,
            &texts(|new| new.request_id.as_deref()),
            &texts(|new| new.detail.as_deref()),
            &of(|row| i64::try_from(row.times).unwrap_or(i64::MAX)),
            &of(|row| row.last_at.as_millis()),
        ],
    )
    .await?;
    Ok(())
}

/// All that the background task brings, in one commit. Older news never replaces newer.
pub(super) async fn write_batch(conn: &Conn, batch: &Batch) -> Result<(), Failure> {
    // In one order, so that two instances that tell of the same rows wait for each other and do not lock up.
    let mut refreshed: Vec<(Uuid, i64)> = batch
        .refreshed
        .iter()
        .map(|(id, at)| (id.0, at.as_millis()))
        .collect();
    refreshed.sort_unstable();
    for (id, at) in refreshed {
        conn.execute(
            "INSERT INTO grant_use (grant_id, refreshed_at) VALUES ($1, $2) ON CONFLICT (grant_id) \
             DO UPDATE SET refreshed_at = excluded.refreshed_at WHERE excluded.refreshed_at > grant_use.refreshed_at",
            &[&id, &at],
        )
        .await?;
    }
    let mut health: Vec<_> = batch.health.iter().collect();
    health.sort_by_key(|(id, _, _)| *id);
    for (id, word, at) in health {
        conn.execute(
            "INSERT INTO connection_health (connection_id, health, at) VALUES ($1, $2, $3) ON CONFLICT (connection_id) \
             DO UPDATE SET health = excluded.health, at = excluded.at WHERE excluded.at >= connection_health.at",
            &[&id.0, word, &at.as_millis()],
        )
        .await?;
    }
    insert(conn, &batch.noted).await
}

/// The newest first.
pub(super) async fn read(conn: &Conn, query: &AuditQuery) -> Result<Vec<AuditRecord>, Failure> {
    let sql = format!("SELECT {RECORD} FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let mut before = query.before_id.unwrap_or(i64::MAX);
    let mut sieve = Sieve::of(query);
    while !sieve.is_done() {
        let rows = conn.query(&sql, &[&before, &PAGE]).await?;
        for row in &rows {
            let record = record(&mut Cells::of(row))?;
            before = record.id;
            if !sieve.is_done() {
                sieve.take(record);
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    Ok(sieve.kept())
}

/// Waits until all rows whose ids were drawn are there, or never will be; not for long. In a transaction.
///
/// Whoever writes waits behind one who waits here: one long decision would hold up all the others. Not to wait at all
/// would not do either, as there may always be some short one under way.
async fn in_order(conn: &Conn) -> Result<(), Failure> {
    let row = conn
        .one("SELECT pg_try_advisory_xact_lock(1886675571, 2)", &[])
        .await?;
    if Cells::of(&row).flag()? {
        return Ok(());
    }
    conn.run("SET LOCAL lock_timeout = '100ms'").await?;
    conn.query("SELECT pg_advisory_xact_lock(1886675571, 2)", &[])
        .await?;
    Ok(())
}

/// The rows after this one, the oldest first: for whoever follows the log. None while a long decision is under way.
pub(super) async fn after(conn: &Conn, id: i64, limit: usize) -> Result<Vec<AuditRecord>, Failure> {
    match in_order(conn).await {
        Err(Failure::Locked) => return Ok(Vec::new()),
        in_order => in_order?,
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!("SELECT {RECORD} FROM audit WHERE id > $1 ORDER BY id LIMIT $2");
    let rows = conn.query(&sql, &[&id, &limit]).await?;
    let records = rows.iter().map(|row| record(&mut Cells::of(row)));
    Ok(records.collect::<Result<_, _>>()?)
}

/// The newest row's id; 0 of an empty log. `None` while a long decision is under way.
pub(super) async fn last_id(conn: &Conn) -> Result<Option<i64>, Failure> {
    match in_order(conn).await {
        Err(Failure::Locked) => return Ok(None),
        in_order => in_order?,
    }
    let row = conn.one("SELECT coalesce(max(id), 0) FROM audit", &[]).await?;
    Ok(Some(Cells::of(&row).number()?))
}

/// How far the audit file has come.
pub(super) async fn file_mark(conn: &Conn) -> Result<i64, Failure> {
    let mark = super::meta::get(conn, "audit_file").await?;
    let mark = mark.and_then(|mark| <[u8; 8]>::try_from(mark).ok());
    Ok(mark.map_or(0, i64::from_be_bytes))
}

/// Forgets the oldest rows whose last moment was before `before`. Moving the horizon there is what makes the schema's
/// triggers let them go, and it is written into the log itself. The horizon's row lets one instance at a time do it.
pub(super) async fn forget(conn: &Conn, before: Timestamp, now: Timestamp) -> Result<u64, Failure> {
    conn.one("SELECT one FROM audit_horizon FOR UPDATE", &[]).await?;
    let limit = i64::try_from(FORGOTTEN_AT_ONCE).unwrap_or(i64::MAX);
    let row = conn
        .one(
            "WITH oldest AS (SELECT id, last_at FROM audit ORDER BY id LIMIT $2) \
             SELECT max(id) FROM oldest WHERE id < coalesce((SELECT min(id) FROM oldest WHERE last_at >= $1), id + 1)",
            &[&before.as_millis(), &limit],
        )
        .await?;
    let Some(last) = Cells::of(&row).optional_number()? else {
        return Ok(0);
    };
    conn.execute(
        "UPDATE audit_horizon SET before = greatest(before, $1)",
        &[&before.as_millis()],
    )
    .await?;
    let forgotten = conn.execute("DELETE FROM audit WHERE id <= $1", &[&last]).await?;
    let row = Noted {
        new: trail::forgotten(),
        at: now,
        last_at: now,
        times: forgotten,
    };
    insert(conn, &[row]).await?;
    Ok(forgotten)
}
