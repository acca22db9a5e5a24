//! What ends: codes that were not redeemed, Items that are to be removed at Plaid, rows that may be forgotten.
//!
//! Several instances may do all of this at the same moment. Abandoning, purging and leasing skip rows that another one has
//! locked. Where a lease ran out while its instance still worked, two instances ask Plaid to remove the same Item: the
//! second one is answered that it is not there, which counts as removed, and what a removal writes is written once.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{audit, connections};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    Abandonment, AuditEvent, AuthorizationId, ConnectionId, NewConnection, PublicTokenHash, PublicTokenOwner,
    RemovalReason, TakenRemovals,
};
use crate::rows::{self, stage};
use crate::sealed::SealedConnection;
use crate::tx::{Context, Decision, Failure, Statement, Tx, values};
use crate::{CHANGED_AT_ONCE, Store};

impl Store {
    /// Abandons what was completed before those moments and not used since; the removal of its connections is queued in
    /// the same commit. One call abandons a bounded number and returns it: repeat until it is zero.
    pub async fn abandon(&self, abandonment: Abandonment, now: Timestamp) -> Result<u64, StoreError> {
        self.decide(abandonment, now).await
    }

    /// Stores a connection that is not wanted any more, with its removal queued in the same commit. Returns whether it did:
    /// a public token whose connection is stored already has an owner, though its caller may not have heard of the
    /// commit, and then nothing changes.
    pub async fn discard(
        &self,
        connection: NewConnection,
        public_token: PublicTokenHash,
        owner: PublicTokenOwner,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let connection = self.sealed(connection)?;
        let discard = Discard {
            connection,
            public_token,
            owner,
        };
        self.decide(discard, now).await
    }

    /// Leases at most `limit` removals that are due until `until`, the longest waiting first. Nobody else gets them until
    /// then; a lease that is neither finished nor postponed runs out, and the removal is due again.
    pub async fn take_removals(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<TakenRemovals, StoreError> {
        self.decide(Take { until, limit }, now).await
    }

    /// Plaid has removed the Item (or never knew it). Done twice it is done once.
    pub async fn finish_removal(&self, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        let event = AuditEvent::ConnectionRemoved;
        self.decide(Finish { id, event }, now).await
    }

    /// Ends a removal without Plaid: the Item stays, because another connection uses it.
    pub async fn keep_item(&self, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        let event = AuditEvent::ConnectionItemKept;
        self.decide(Finish { id, event }, now).await
    }

    /// Plaid could not be asked or did not do it: counts the attempt and tries again at that moment.
    pub async fn postpone_removal(&self, id: ConnectionId, next_try: Timestamp) -> Result<(), StoreError> {
        self.run(Postpone { id, next_try }).await
    }

    /// Forgets open, cancelled and abandoned authorizations that expired before that moment, and the public tokens that
    /// were exchanged before it if their connection is removed. One call forgets a bounded number of each and returns how
    /// many: repeat until it is zero.
    pub async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.run(Purge(before)).await
    }
}

/// A statement about the rows that a subquery with a `LIMIT` names. In `PostgreSQL` rows that others have locked are
/// skipped, and the subquery is run once.
macro_rules! of_some {
    ($change:literal, $select:literal, $lock:literal $(, $returning:literal)?) => {
        concat!(
            $change, " WHERE id IN (/*pgWITH few AS MATERIALIZED (*/", $select,
            " /*pg", $lock, " SKIP LOCKED) SELECT id FROM few*/)", $($returning)?
        )
    };
}

/// Each begins at one of the two partial indexes on `stage_at`.
pub(crate) const UNREDEEMED: &str = of_some!(
    "UPDATE authorizations SET stage = ?1, stage_at = ?2",
    "SELECT id FROM authorizations WHERE stage = 1 AND client_id IS NOT NULL AND stage_at < ?3 ORDER BY stage_at LIMIT ?4",
    "FOR NO KEY UPDATE",
    " RETURNING id, connection_id, client_id"
);
pub(crate) const SESSIONS: &str = of_some!(
    "UPDATE authorizations SET stage = ?1, stage_at = ?2",
    "SELECT id FROM authorizations WHERE stage = 1 AND client_id IS NULL AND stage_at < ?3 ORDER BY stage_at LIMIT ?4",
    "FOR NO KEY UPDATE",
    " RETURNING id, connection_id, client_id"
);

/// Each begins at a partial index.
pub(crate) const PURGE_AUTHORIZATIONS: &str = of_some!(
    "DELETE FROM authorizations",
    "SELECT id FROM authorizations WHERE stage IN (0, 3, 4) AND expires_at < ?1 LIMIT ?2",
    "FOR UPDATE"
);
pub(crate) const PURGE_PUBLIC_TOKENS: &str = of_some!(
    "UPDATE connections SET public_token = NULL",
    "SELECT id FROM connections WHERE removed_at IS NOT NULL AND public_token IS NOT NULL AND created_at < ?1 LIMIT ?2",
    "FOR NO KEY UPDATE"
);

impl Decision for Abandonment {
    type Outcome = u64;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<u64, Failure> {
        let (mut abandoned, mut unused) = (Vec::new(), Vec::new());
        for (sql, before) in [
            (UNREDEEMED, self.unredeemed_before),
            (SESSIONS, self.sessions_before),
        ] {
            let values = values![stage::ABANDONED, context.now(), before, CHANGED_AT_ONCE];
            let moved = tx
                .rows(sql, &values, |row| {
                    let authorization = AuthorizationId(row.id()?);
                    let connection = ConnectionId(row.id()?);
                    let client_id = row.optional_text()?;
                    Ok((
                        authorization,
                        Unused {
                            connection,
                            client_id,
                        },
                    ))
                })
                .await?;
            for (authorization, of) in moved {
                let client_id = of.client_id.clone();
                abandoned.push(context.audit.abandoned(authorization, of.connection, client_id));
                unused.push(of);
            }
        }
        if !unused.is_empty() {
            let ids = unused.iter().map(|unused| unused.connection.0).collect();
            connections::lock_all(tx, &ids).await?;
            audit::write(tx, context, &abandoned).await?;
            end_unused(tx, context, unused, RemovalReason::Unredeemed).await?;
        }
        Ok(u64::try_from(abandoned.len()).unwrap_or(u64::MAX))
    }
}

/// A connection that may be of no use to anyone any more, and whose it was.
pub(super) struct Unused {
    pub(super) connection: ConnectionId,
    pub(super) client_id: Option<String>,
}

/// Ends those that have no live grant and queues their removal. Their rows are locked already. Returns how many.
pub(super) async fn end_unused<T: Tx>(
    tx: &mut T,
    context: &Context,
    unused: Vec<Unused>,
    reason: RemovalReason,
) -> Result<u64, Failure> {
    let ids: Vec<Uuid> = unused.iter().map(|unused| unused.connection.0).collect();
    let ended = tx.rows(
        "UPDATE connections SET removed_at = ?1 WHERE id IN rarray(?2) AND removed_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM grants WHERE connection_id = connections.id AND revoked_at IS NULL) RETURNING id",
        &values![context.now(), &ids],
        |row| Ok(ConnectionId(row.id()?)),
    ).await?;
    let mut ended: BTreeSet<_> = ended.into_iter().collect();
    let count = u64::try_from(ended.len()).unwrap_or(u64::MAX);
    let rows: Vec<_> = unused
        .into_iter()
        .filter(|unused| ended.remove(&unused.connection))
        .map(|unused| {
            (
                unused.connection,
                context.audit.ended(unused.connection, unused.client_id, reason),
            )
        })
        .collect();
    let queue = rows.iter().map(|(id, _)| {
        Statement::new(
            "INSERT INTO removals (connection_id, reason, attempts, next_try) VALUES (?1, ?2, 0, ?3)",
            values![*id, rows::reason_code(reason), context.now()],
        )
    });
    let noted = rows.iter().map(|(_, row)| audit::insert(row, context.now()));
    let statements: Vec<_> = queue.chain(noted).collect();
    tx.execute_all(&statements).await?;
    Ok(count)
}

/// The first rows of the index on `next_try`, which is in the order of the ids where that is equal.
pub(crate) fn due() -> String {
    format!(
        "SELECT removals.connection_id, reason, attempts, {} FROM removals \
         JOIN connections ON connections.id = removals.connection_id \
         WHERE next_try <= ?1 ORDER BY next_try LIMIT ?2 /*pg FOR NO KEY UPDATE OF removals SKIP LOCKED*/",
        rows::CONNECTION
    )
}

struct Take {
    until: Timestamp,
    limit: usize,
}

impl Decision for Take {
    type Outcome = TakenRemovals;

    /// The lease is the next try, moved on: when it runs out, the removal is due again.
    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<TakenRemovals, Failure> {
        let due = tx
            .rows(&due(), &values![context.now(), self.limit], |row| {
                Ok((row.id()?, rows::removal(row, &context.keyring)?))
            })
            .await?;
        let (ids, removals): (Vec<Uuid>, Vec<_>) = due.into_iter().unzip();
        let sql = "UPDATE removals SET next_try = ?1 WHERE connection_id IN rarray(?2)";
        tx.execute(sql, &values![self.until, &ids]).await?;
        Ok(TakenRemovals {
            removals: removals.into_iter().flatten().collect(),
            leased: ids.len(),
        })
    }
}

struct Finish {
    id: ConnectionId,
    event: AuditEvent,
}

impl Decision for Finish {
    type Outcome = ();

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<(), Failure> {
        connections::lock_all(tx, &vec![self.id.0]).await?;
        let changed = tx
            .execute_all(&[
                Statement::new("DELETE FROM removals WHERE connection_id = ?1", values![self.id]),
                Statement::new(
                    "UPDATE connections SET removed_at = ?1 WHERE id = ?2 AND removed_at IS NULL",
                    values![context.now(), self.id],
                ),
            ])
            .await?;
        if changed.iter().any(|rows| *rows > 0) {
            audit::write(tx, context, &[context.audit.finished(self.event, self.id)]).await?;
        }
        Ok(())
    }
}

struct Postpone {
    id: ConnectionId,
    next_try: Timestamp,
}

impl Decision for Postpone {
    type Outcome = ();

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<(), Failure> {
        let sql = "UPDATE removals SET attempts = attempts + 1, next_try = ?1 WHERE connection_id = ?2";
        tx.execute(sql, &values![self.next_try, self.id]).await?;
        Ok(())
    }
}

struct Purge(Timestamp);

impl Decision for Purge {
    type Outcome = u64;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<u64, Failure> {
        let values = values![self.0, CHANGED_AT_ONCE];
        let authorizations = tx.execute(PURGE_AUTHORIZATIONS, &values).await?;
        Ok(authorizations + tx.execute(PURGE_PUBLIC_TOKENS, &values).await?)
    }
}

struct Discard {
    connection: SealedConnection,
    public_token: PublicTokenHash,
    owner: PublicTokenOwner,
}

impl Decision for Discard {
    type Outcome = bool;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<bool, Failure> {
        // This waits for a commit of the same token that is still under way.
        if !connections::insert(
            tx,
            &self.connection,
            self.public_token,
            &self.owner,
            context.now(),
        )
        .await?
        {
            return Ok(false);
        }
        tx.execute_all(&[connections::index(
            self.connection.access_token_hash,
            self.connection.id(),
        )])
        .await?;
        let unused = Unused {
            connection: self.connection.id(),
            client_id: match &self.owner {
                PublicTokenOwner::Authorization(_) => None,
                PublicTokenOwner::Client { client_id, .. } => Some(client_id.clone()),
            },
        };
        end_unused(tx, context, vec![unused], RemovalReason::Unredeemed).await?;
        Ok(true)
    }
}
