//! The audit log: rows in the commit of what they report, batches of what changes nothing, and reading both.

use super::meta;
use crate::audit_context;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{AuditQuery, AuditRecord, Batch, NewAudit, Noted};
use crate::rows::audit::{Filter, RECORD, record};
use crate::tx::{Context, Decision, Failure, Run, Statement, Tx, values};
use crate::{FORGOTTEN_AT_ONCE, Store};

/// Rows that are read at once.
const PAGE: usize = 500;
const FILE_MARK: &str = "audit_file";

impl Store {
    /// Writes a row of the audit log in a commit of its own: for operators' acts that change nothing here. What strangers
    /// can cause goes into a [batch](Self::record_batch) instead, which forces no sync.
    pub async fn record(&self, new: NewAudit, now: Timestamp) -> Result<(), StoreError> {
        self.decide(Record(new), now).await
    }

    /// Writes what the background task gathered, in one commit.
    pub async fn record_batch(&self, batch: Batch) -> Result<(), StoreError> {
        self.run(batch).await
    }

    /// Rows of the audit log, the newest first.
    pub async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        self.run(query).await
    }

    /// At most `limit` rows of the audit log after this one, the oldest first. None while rows before them may still come.
    pub async fn audit_after(&self, id: i64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.run(After { id, limit }).await
    }

    /// The id of the newest row of the audit log; 0 when there is none. `None` while rows before it may still come.
    pub async fn last_audit_id(&self) -> Result<Option<i64>, StoreError> {
        self.run(LastId).await
    }

    /// The last row that was appended to the audit file; 0 when none was.
    pub async fn audit_file_mark(&self) -> Result<i64, StoreError> {
        let mark = self.run(meta::Get(FILE_MARK)).await?;
        let mark = mark.and_then(|mark| <[u8; 8]>::try_from(mark).ok());
        Ok(mark.map_or(0, i64::from_be_bytes))
    }

    /// Remembers the last row that was appended to the audit file.
    pub async fn mark_audit_file(&self, id: i64) -> Result<(), StoreError> {
        self.run(meta::Set(FILE_MARK, id.to_be_bytes().into())).await
    }

    /// Forgets the oldest rows of the audit log that are all from before that moment, a bounded number at a time, and
    /// notes that in the log. Returns how many.
    pub async fn forget_audit(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.decide(Forget(before), now).await
    }
}

fn insert_noted(new: &NewAudit, at: Timestamp, last_at: Timestamp, times: u64) -> Statement<'_> {
    Statement::new(
        "INSERT INTO audit (at, event, outcome, actor, client_id, authorization_id, connection_id, grant_id, address, \
             request_id, detail, times, last_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        values![
            at,
            new.event.as_str(),
            new.outcome.as_str(),
            new.actor.as_str(),
            new.client_id.as_deref(),
            new.authorization_id,
            new.connection_id,
            new.grant_id,
            new.address.map(|address| address.to_string()),
            new.request_id.as_deref(),
            new.detail.as_deref(),
            times,
            last_at,
        ],
    )
}

/// A row of a decision. Written when the decision has all the locks it needs: a reader that follows the log waits for it to be
/// committed, and others wait behind that one.
pub(super) fn insert(new: &NewAudit, now: Timestamp) -> Statement<'_> {
    insert_noted(new, now, now, 1)
}

pub(super) async fn write<T: Tx>(tx: &mut T, context: &Context, rows: &[NewAudit]) -> Result<(), Failure> {
    let rows: Vec<_> = rows.iter().map(|row| insert(row, context.now())).collect();
    tx.execute_all(&rows).await?;
    Ok(())
}

struct Record(NewAudit);

impl Decision for Record {
    type Outcome = ();

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<(), Failure> {
        write(tx, context, std::slice::from_ref(&self.0)).await
    }
}

impl Decision for Batch {
    type Outcome = ();
    const RUN: Run = Run::DecideLong;

    /// Older news never replaces newer. In one order, so that two instances that write the same rows wait for each other
    /// and do not lock up.
    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<(), Failure> {
        let mut refreshed: Vec<_> = self.refreshed.iter().collect();
        refreshed.sort_by_key(|(id, _)| *id);
        let refreshed = refreshed.into_iter().map(|(id, at)| {
            Statement::new(
                "INSERT INTO grant_use (grant_id, refreshed_at) VALUES (?1, ?2) ON CONFLICT (grant_id) DO UPDATE \
                 SET refreshed_at = excluded.refreshed_at WHERE excluded.refreshed_at > grant_use.refreshed_at",
                values![*id, *at],
            )
        });
        let mut health: Vec<_> = self.health.iter().collect();
        health.sort_by_key(|(id, _, _)| *id);
        let health = health.into_iter().map(|(id, word, at)| {
            Statement::new(
                "INSERT INTO connection_health (connection_id, health, at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (connection_id) DO UPDATE SET health = excluded.health, at = excluded.at \
                 WHERE excluded.at >= connection_health.at",
                values![*id, word, *at],
            )
        });
        let noted = self.noted.iter().map(|noted| {
            let Noted {
                new,
                at,
                last_at,
                times,
            } = noted;
            insert_noted(new, *at, *last_at, *times)
        });
        let statements: Vec<_> = refreshed.chain(health).chain(noted).collect();
        tx.execute_all(&statements).await?;
        Ok(())
    }
}

impl Decision for AuditQuery {
    type Outcome = Vec<AuditRecord>;
    const RUN: Run = Run::List;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        let sql = format!("SELECT {RECORD} FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        let mut before = self.before_id.unwrap_or(i64::MAX);
        let mut filter = Filter::new(self);
        while !filter.is_done() {
            let page = tx.rows(&sql, &values![before, PAGE], record).await?;
            let Some(last) = page.last() else { break };
            before = last.id;
            for record in page {
                filter.add(record);
            }
        }
        Ok(filter.matching())
    }
}

struct After {
    id: i64,
    limit: usize,
}

impl Decision for After {
    type Outcome = Vec<AuditRecord>;
    const RUN: Run = Run::ReadTogether;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        if !tx.audit_is_in_order().await? {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {RECORD} FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2");
        tx.rows(&sql, &values![self.id, self.limit], record).await
    }
}

struct LastId;

impl Decision for LastId {
    type Outcome = Option<i64>;
    const RUN: Run = Run::ReadTogether;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Option<i64>, Failure> {
        if !tx.audit_is_in_order().await? {
            return Ok(None);
        }
        let sql = "SELECT coalesce(max(id), 0) FROM audit";
        tx.row(sql, &[], |row| row.number()).await
    }
}

struct Forget(Timestamp);

impl Decision for Forget {
    type Outcome = u64;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<u64, Failure> {
        // One instance at a time does it.
        tx.rows(
            "SELECT name FROM meta WHERE name = 'client_id' /*pg FOR UPDATE*/",
            &[],
            |_| Ok(()),
        )
        .await?;
        let sql = "SELECT id, last_at FROM audit ORDER BY id LIMIT ?1";
        let oldest = tx
            .rows(sql, &values![FORGOTTEN_AT_ONCE], |row| {
                Ok((row.number()?, row.moment()?))
            })
            .await?;
        let old = oldest.iter().take_while(|(_, last_at)| *last_at < self.0);
        let Some((last, _)) = old.last() else {
            return Ok(0);
        };
        let forgotten = tx
            .execute("DELETE FROM audit WHERE id <= ?1", &values![*last])
            .await?;
        let row = audit_context::forgotten();
        tx.execute_all(&[insert_noted(&row, context.now(), context.now(), forgotten)])
            .await?;
        Ok(forgotten)
    }
}
