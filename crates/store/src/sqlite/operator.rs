//! What operators and the background task ask of the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::{SqliteStore, audit, backup, counts, listing, redirects, reseal};
use crate::clock::Timestamp;
use crate::error::{BackupError, StoreError};
use crate::model::{
    Account, AllowedRedirectUri, AuditQuery, AuditRecord, Batch, ConnectionFilter, ConnectionId,
    ConnectionKey, ConnectionSummary, Counts, EndStep, EndTarget, Ended, KeysReport, NewAudit, ResealStep,
};
use crate::trail::Trail;

impl SqliteStore {
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) async fn reseal(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<ResealStep, StoreError> {
        let keyring = self.keyring();
        self.writer
            .decide(move |conn| reseal::step(conn, &keyring, after, limit))
            .await
    }

    pub(crate) async fn keys_report(&self) -> Result<KeysReport, StoreError> {
        let keyring = self.keyring();
        self.listers
            .read(move |conn| reseal::report(conn, &keyring))
            .await
    }

    pub(crate) async fn backup(&self, target: PathBuf) -> Result<u64, BackupError> {
        let database = std::path::absolute(&self.path).map_err(backup::io_error("find", &self.path))?;
        let task = tokio::task::spawn_blocking(move || backup::write(&database, &target));
        task.await
            .unwrap_or(Err(StoreError::Unavailable("the backup was stopped").into()))
    }

    pub(crate) async fn connections(
        &self,
        filter: ConnectionFilter,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        self.listers.read(move |conn| listing::list(conn, &filter)).await
    }

    pub(crate) async fn connection_summary(
        &self,
        key: ConnectionKey,
    ) -> Result<Option<ConnectionSummary>, StoreError> {
        self.listers.read(move |conn| listing::show(conn, &key)).await
    }

    pub(crate) async fn connection_count(&self) -> Result<u64, StoreError> {
        self.listers.read(listing::count).await
    }

    pub(crate) async fn end_step(
        &self,
        target: EndTarget,
        after: Option<ConnectionId>,
        trail: Trail,
    ) -> Result<EndStep, StoreError> {
        // An Item is looked for in all rows.
        let readers = match &target {
            EndTarget::One(_) => &self.listers,
            EndTarget::Client(_) | EndTarget::All => &self.readers,
        };
        let client = target.client().map(str::to_owned);
        let targets = readers
            .read(move |conn| listing::targets(conn, &target, after))
            .await?;
        if targets.ids.is_empty() {
            return Ok(targets.step(Ended::default()));
        }
        let targets = Arc::new(targets);
        let of = Arc::clone(&targets);
        let ended = self
            .writer
            .decide(move |conn| listing::end(conn, &of.ids, client.as_deref(), &trail))
            .await?;
        Ok(targets.step(ended))
    }

    pub(crate) async fn size(&self) -> Result<u64, StoreError> {
        self.listers.read(counts::size).await
    }

    pub(crate) async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        if let Some(recent) = self.counted.recent() {
            return Ok(recent);
        }
        let (counts, began) = self
            .listers
            .read(move |conn| {
                let began = Instant::now();
                Ok((counts::count(conn, now)?, began))
            })
            .await?;
        self.counted.keep(&counts, began);
        Ok(counts)
    }

    pub(crate) async fn allow_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        trail: Trail,
    ) -> Result<bool, StoreError> {
        self.writer
            .decide(move |conn| redirects::allow(conn, &client_id, &uri, &trail))
            .await
    }

    pub(crate) async fn forget_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        trail: Trail,
    ) -> Result<bool, StoreError> {
        self.writer
            .decide(move |conn| redirects::forget(conn, &client_id, &uri, &trail))
            .await
    }

    pub(crate) async fn redirect_uris(&self) -> Result<Vec<AllowedRedirectUri>, StoreError> {
        self.readers.read(redirects::list).await
    }

    pub(crate) async fn record(&self, new: NewAudit, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .decide(move |conn| audit::write(conn, &new, now))
            .await
    }

    pub(crate) async fn record_batch(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer
            .decide(move |conn| audit::write_batch(conn, &batch))
            .await
    }

    pub(crate) async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        self.listers.read(move |conn| audit::read(conn, &query)).await
    }

    pub(crate) async fn audit_after(&self, id: i64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.readers.read(move |conn| audit::after(conn, id, limit)).await
    }

    pub(crate) async fn last_audit_id(&self) -> Result<i64, StoreError> {
        self.readers.read(audit::last_id).await
    }

    pub(crate) async fn audit_file_mark(&self) -> Result<i64, StoreError> {
        self.readers.read(audit::file_mark).await
    }

    pub(crate) async fn mark_audit_file(&self, id: i64) -> Result<(), StoreError> {
        self.writer.decide(move |conn| audit::mark_file(conn, id)).await
    }

    pub(crate) async fn forget_audit(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .decide(move |conn| audit::forget(conn, before, now))
            .await
    }
}
