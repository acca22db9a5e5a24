//! What operators, pages for them and the background task ask of the store.

use std::path::PathBuf;

use super::error::{BackupError, StoreError};
use super::model::{
    Account, AllowedRedirectUri, AuditQuery, AuditRecord, Batch, ConnectionFilter, ConnectionId,
    ConnectionKey, ConnectionSummary, Counts, EndStep, EndTarget, KeysReport, NewAudit, ResealStep,
};
use super::{Engine, OpenOptions, Restored, Store, sqlite};
use crate::clock::Timestamp;
use crate::config::DatabaseUrl;

const BACKUP_ELSEWHERE: &str = "the store is in PostgreSQL, whose own tools make its backups: use pg_dump (docs/operating.md \
     shows how); the keys are not in it";
const RESTORE_ELSEWHERE: &str = "the store is in PostgreSQL, whose own tools put its backups back: stop all brokers and use \
     pg_restore (docs/operating.md shows how)";

impl Store {
    /// Whose it is.
    #[must_use]
    pub fn account(&self) -> &Account {
        match &self.engine {
            Engine::Sqlite(store) => store.account(),
            Engine::Postgres(store) => store.account(),
        }
    }

    /// One step of key rotation: seals at most `limit` values with the first key that another key sealed. Begin with
    /// `None` and go on with what a step gives as `next`, until it gives none. Done again it changes nothing.
    pub async fn reseal(&self, after: Option<ConnectionId>, limit: usize) -> Result<ResealStep, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.reseal(after, limit).await,
            Engine::Postgres(store) => store.reseal(after, limit).await,
        }
    }

    /// Opens every sealed value: which keys are in use, and whether all that are needed were given. Reads everything.
    pub async fn keys_report(&self) -> Result<KeysReport, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.keys_report().await,
            Engine::Postgres(store) => store.keys_report().await,
        }
    }

    /// Writes a copy of the store as it stands now to a new file, synced, while everything goes on. The keys are not in
    /// it. Gives its bytes.
    pub async fn backup(&self, target: PathBuf) -> Result<u64, BackupError> {
        match &self.engine {
            Engine::Sqlite(store) => store.backup(target).await,
            Engine::Postgres(_) => Err(BackupError::Elsewhere(BACKUP_ELSEWHERE)),
        }
    }

    /// Puts a backup in the place of the store that `options` name, which nobody may have open. It is checked first: a
    /// whole store of this program and account. `force`: a store that is there is moved aside.
    pub async fn restore(
        options: OpenOptions,
        from: PathBuf,
        force: bool,
        now: Timestamp,
    ) -> Result<Restored, BackupError> {
        let target = match options.config.database {
            DatabaseUrl::Sqlite(target) => target,
            DatabaseUrl::Postgres(_) => return Err(BackupError::Elsewhere(RESTORE_ELSEWHERE)),
        };
        let (keys, account) = (options.config.keys, options.account);
        let task = tokio::task::spawn_blocking(move || {
            sqlite::restore::restore(&from, &target, &keys, &account, force, now)
        });
        task.await
            .unwrap_or(Err(StoreError::Unavailable("restoring was stopped").into()))
    }

    /// Connections with their grants that fit the filter, the newest first. Without any token.
    pub async fn connections(&self, filter: ConnectionFilter) -> Result<Vec<ConnectionSummary>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.connections(filter).await,
            Engine::Postgres(store) => store.connections(filter).await,
        }
    }

    /// One connection with its grants. Of several of one Item: the newest live one, else the newest.
    pub async fn connection_summary(
        &self,
        key: ConnectionKey,
    ) -> Result<Option<ConnectionSummary>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.connection_summary(key).await,
            Engine::Postgres(store) => store.connection_summary(key).await,
        }
    }

    /// How many connections there are, ended ones included: how long a walk over all of them is.
    pub async fn connection_count(&self) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.connection_count().await,
            Engine::Postgres(store) => store.connection_count().await,
        }
    }

    /// One step of ending what the target names, in the order of the ids: examines a bounded number of connections after
    /// this one, ends those among them that the target names, and queues their removal at Plaid, in one commit. Begin
    /// with `None` and go on with what a step returns as `next`, until it returns none; a run that was cut short is
    /// continued by beginning again. A connection that another client's live grant uses stays when a client is ended.
    pub async fn end_step(
        &self,
        target: EndTarget,
        after: Option<ConnectionId>,
        now: Timestamp,
    ) -> Result<EndStep, StoreError> {
        let trail = self.trail(now);
        match &self.engine {
            Engine::Sqlite(store) => store.end_step(target, after, trail).await,
            Engine::Postgres(store) => store.end_step(target, after, trail).await,
        }
    }

    /// How many of what there are, for metrics. Cheap to ask often: a count of more than 20,000 connections and
    /// transactions is told again for a hundred times as long as it took.
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.counts(now).await,
            Engine::Postgres(store) => store.counts(now).await,
        }
    }

    /// Bytes of the store's files.
    pub async fn size(&self) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.size().await,
            Engine::Postgres(store) => store.size().await,
        }
    }

    /// Allows a callback for a client. Gives whether it is new. The caller
    /// checks it first.
    pub async fn allow_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let trail = self.trail(now);
        match &self.engine {
            Engine::Sqlite(store) => store.allow_redirect_uri(client_id, uri, trail).await,
            Engine::Postgres(store) => store.allow_redirect_uri(client_id, uri, trail).await,
        }
    }

    /// Takes an allowed callback back. Gives whether it was there.
    pub async fn forget_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let trail = self.trail(now);
        match &self.engine {
            Engine::Sqlite(store) => store.forget_redirect_uri(client_id, uri, trail).await,
            Engine::Postgres(store) => store.forget_redirect_uri(client_id, uri, trail).await,
        }
    }

    /// All callbacks that were allowed, in the order in which they were.
    pub async fn redirect_uris(&self) -> Result<Vec<AllowedRedirectUri>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.redirect_uris().await,
            Engine::Postgres(store) => store.redirect_uris().await,
        }
    }

    /// Writes a row of the audit log in a commit of its own: for operators' acts that change nothing here. What strangers
    /// can cause goes into a [batch](Self::record_batch) instead, which forces no sync.
    pub async fn record(&self, new: NewAudit, now: Timestamp) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.record(new, now).await,
            Engine::Postgres(store) => store.record(new, now).await,
        }
    }

    /// Writes what the background task gathered, in one commit.
    pub async fn record_batch(&self, batch: Batch) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.record_batch(batch).await,
            Engine::Postgres(store) => store.record_batch(batch).await,
        }
    }

    /// Rows of the audit log, the newest first.
    pub async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.audit(query).await,
            Engine::Postgres(store) => store.audit(query).await,
        }
    }

    /// At most `limit` rows of the audit log after this one, the oldest first.
    pub async fn audit_after(&self, id: i64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.audit_after(id, limit).await,
            Engine::Postgres(store) => store.audit_after(id, limit).await,
        }
    }

    /// The id of the newest row of the audit log; 0 when there is none. `None` while rows before it may still come.
    pub async fn last_audit_id(&self) -> Result<Option<i64>, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.last_audit_id().await.map(Some),
            Engine::Postgres(store) => store.last_audit_id().await,
        }
    }

    /// The last row that was appended to the audit file; 0 when none was.
    pub async fn audit_file_mark(&self) -> Result<i64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.audit_file_mark().await,
            Engine::Postgres(store) => store.audit_file_mark().await,
        }
    }

    /// Remembers the last row that was appended to the audit file.
    pub async fn mark_audit_file(&self, id: i64) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.mark_audit_file(id).await,
            Engine::Postgres(store) => store.mark_audit_file(id).await,
        }
    }

    /// Forgets the oldest rows of the audit log that are all from before that moment, a bounded number at a time, and
    /// notes that in the log. Gives how many.
    pub async fn forget_audit(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(store) => store.forget_audit(before, now).await,
            Engine::Postgres(store) => store.forget_audit(before, now).await,
        }
    }
}
