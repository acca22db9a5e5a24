//! How many of what there are.

use std::time::Instant;

use crate::Store;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::Counts;
use crate::rows::stage;
use crate::tx::{Context, Decision, Failure, Run, Tx, values};

impl Store {
    /// How many of what there are, for metrics. Cheap to ask often: a count of more than 20,000 connections and
    /// authorizations is returned again for a hundred times as long as it took.
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        if let Some(recent) = self.inner.count_cache.recent() {
            return Ok(recent);
        }
        let (counts, began) = self.decide(Count, now).await?;
        self.inner.count_cache.store(&counts, began);
        Ok(counts)
    }

    /// Bytes on the disk.
    pub async fn size(&self) -> Result<u64, StoreError> {
        self.run(Size).await
    }
}

struct Count;

impl Decision for Count {
    type Outcome = (Counts, Instant);
    const RUN: Run = Run::List;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Self::Outcome, Failure> {
        let began = Instant::now();
        let mut counts = Counts::default();
        let by_health = tx
            .rows(
                "SELECT coalesce(connection_health.health, 'unasked'), count(*) FROM connections \
             LEFT JOIN connection_health ON connection_health.connection_id = connections.id \
             WHERE connections.removed_at IS NULL GROUP BY 1",
                &[],
                |row| Ok((row.text()?, row.count()?)),
            )
            .await?;
        counts.live_by_health = by_health.into_iter().collect();
        tx.one(
            "SELECT (SELECT count(*) FROM removals), \
                 (SELECT count(*) FROM connections WHERE removed_at IS NOT NULL) - (SELECT count(*) FROM removals), \
                 (SELECT count(*) FROM grants WHERE revoked_at IS NULL), \
                 (SELECT min(connections.removed_at) FROM removals \
                     JOIN connections ON connections.id = removals.connection_id)",
            &[],
            |row| {
                (counts.ending, counts.removed, counts.grants) = (row.count()?, row.count()?, row.count()?);
                let oldest = row.optional_moment()?;
                counts.oldest_removal = oldest.map(|oldest| context.now().since(oldest));
                Ok(())
            },
        )
        .await?;
        tx.rows(
            "SELECT stage, count(*), \
                 count(*) FILTER (WHERE stage = 1 AND client_id IS NOT NULL AND code_expires_at > ?1) \
             FROM authorizations GROUP BY stage",
            &values![context.now()],
            |row| {
                let name = stage::name(row.number()?)?;
                counts.authorizations.insert(name, row.count()?);
                counts.codes_outstanding += row.count()?;
                Ok(())
            },
        )
        .await?;
        Ok((counts, began))
    }
}

struct Size;

impl Decision for Size {
    type Outcome = u64;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<u64, Failure> {
        tx.size().await
    }
}
