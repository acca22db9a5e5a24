//! What operators and the background task ask of the store.

use std::sync::Arc;
use std::time::Instant;

use super::pool::{How, Patience};
use super::{PostgresStore, audit, counts, listing, meta, redirects, reseal};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    Account, AllowedRedirectUri, AuditQuery, AuditRecord, Batch, ConnectionFilter, ConnectionId,
    ConnectionKey, ConnectionSummary, Counts, EndStep, EndTarget, Ended, KeysReport, NewAudit, ResealStep,
};
use crate::trail::Trail;

impl PostgresStore {
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) async fn reseal(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<ResealStep, StoreError> {
        let input = (Arc::clone(&self.keyring), after, limit);
        self.pool
            .decide_with(Patience::Long, input, |conn, (keyring, after, limit)| {
                Box::pin(reseal::step(conn, keyring, *after, *limit))
            })
            .await
    }

    pub(crate) async fn keys_report(&self) -> Result<KeysReport, StoreError> {
        self.pool
            .list(Patience::Unbounded, Arc::clone(&self.keyring), |conn, keyring| {
                Box::pin(reseal::report(conn, keyring))
            })
            .await
    }

    pub(crate) async fn connections(
        &self,
        filter: ConnectionFilter,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        self.pool
            .list(Patience::Long, filter, |conn, filter| {
                Box::pin(listing::list(conn, filter))
            })
            .await
    }

    pub(crate) async fn connection_summary(
        &self,
        key: ConnectionKey,
    ) -> Result<Option<ConnectionSummary>, StoreError> {
        self.pool
            .list(Patience::Long, key, |conn, key| {
                Box::pin(listing::show(conn, key))
            })
            .await
    }

    pub(crate) async fn connection_count(&self) -> Result<u64, StoreError> {
        self.pool
            .list(Patience::Long, (), |conn, ()| Box::pin(listing::count(conn)))
            .await
    }

    pub(crate) async fn end_step(
        &self,
        target: EndTarget,
        after: Option<ConnectionId>,
        trail: Trail,
    ) -> Result<EndStep, StoreError> {
        let client = target.client().map(str::to_owned);
        let targets = self
            .pool
            .read((target, after), |conn, (target, after)| {
                Box::pin(listing::targets(conn, target, *after))
            })
            .await?;
        if targets.ids.is_empty() {
            return Ok(targets.step(Ended::default()));
        }
        let targets = Arc::new(targets);
        let input = (Arc::clone(&targets), client, trail);
        let ended = self
            .pool
            .decide(input, |conn, (targets, client, trail)| {
                Box::pin(listing::end(conn, &targets.ids, client.as_deref(), trail))
            })
            .await?;
        Ok(targets.step(ended))
    }

    pub(crate) async fn size(&self) -> Result<u64, StoreError> {
        self.pool.read((), |conn, ()| Box::pin(counts::size(conn))).await
    }

    pub(crate) async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        if let Some(recent) = self.counted.recent() {
            return Ok(recent);
        }
        let began = Instant::now();
        let counts = self
            .pool
            .list(Patience::Long, now, |conn, now| {
                Box::pin(counts::count(conn, *now))
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
        self.pool
            .decide((client_id, uri, trail), |conn, (client_id, uri, trail)| {
                Box::pin(redirects::allow(conn, client_id, uri, trail))
            })
            .await
    }

    pub(crate) async fn forget_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        trail: Trail,
    ) -> Result<bool, StoreError> {
        self.pool
            .decide((client_id, uri, trail), |conn, (client_id, uri, trail)| {
                Box::pin(redirects::forget(conn, client_id, uri, trail))
            })
            .await
    }

    pub(crate) async fn redirect_uris(&self) -> Result<Vec<AllowedRedirectUri>, StoreError> {
        self.pool
            .read((), |conn, ()| Box::pin(redirects::list(conn)))
            .await
    }

    pub(crate) async fn record(&self, new: NewAudit, now: Timestamp) -> Result<(), StoreError> {
        self.pool
            .decide((new, now), |conn, (new, now)| {
                Box::pin(audit::write(conn, new.clone(), *now))
            })
            .await
    }

    pub(crate) async fn record_batch(&self, batch: Batch) -> Result<(), StoreError> {
        self.pool
            .decide_with(Patience::Long, batch, |conn, batch| {
                Box::pin(audit::write_batch(conn, batch))
            })
            .await
    }

    pub(crate) async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        self.pool
            .list(Patience::Long, query, |conn, query| {
                Box::pin(audit::read(conn, query))
            })
            .await
    }

    pub(crate) async fn audit_after(&self, id: i64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.pool
            .read_with(
                How::Transaction,
                Patience::Usual,
                (id, limit),
                |conn, (id, limit)| Box::pin(audit::after(conn, *id, *limit)),
            )
            .await
    }

    pub(crate) async fn last_audit_id(&self) -> Result<Option<i64>, StoreError> {
        self.pool
            .read_with(How::Transaction, Patience::Usual, (), |conn, ()| {
                Box::pin(audit::last_id(conn))
            })
            .await
    }

    pub(crate) async fn audit_file_mark(&self) -> Result<i64, StoreError> {
        self.pool
            .read((), |conn, ()| Box::pin(audit::file_mark(conn)))
            .await
    }

    pub(crate) async fn mark_audit_file(&self, id: i64) -> Result<(), StoreError> {
        self.pool
            .decide(id, |conn, id| {
                Box::pin(async move { meta::set(conn, "audit_file", &id.to_be_bytes()).await })
            })
            .await
    }

    pub(crate) async fn forget_audit(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.pool
            .decide((before, now), |conn, (before, now)| {
                Box::pin(audit::forget(conn, *before, *now))
            })
            .await
    }
}
