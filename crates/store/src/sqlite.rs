//! The store in one `SQLite` file: nothing to install, one writer, look-ups beside it.

mod backup;
mod inspect;
mod migrations;
mod open;
mod readers;
pub(super) mod restore;
#[cfg(test)]
mod tests;
mod tx;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::readers::Readers;
use self::tx::{SqliteTx, ready};
use self::writer::Writer;
use super::error::{BackupError, OpenError, StoreError};
use super::inspection::Inspection;
use super::keyring::Keyring;
use super::model::Account;
use super::tokens::TokenKey;
use super::tx::{Context, Decision, Run};
use super::{CommitObserver, Durability};
use crate::config::KeySource;

pub(super) use self::inspect::is_in_use;

/// An open `SQLite` store.
#[derive(Debug)]
pub(super) struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// For what may read every row: operators' lists, searches and counts. Requests never wait for these.
    listers: Readers,
    path: PathBuf,
}

impl SqliteStore {
    pub(super) async fn open(
        path: PathBuf,
        keys: KeySource,
        account: Account,
        durability: Durability,
    ) -> Result<(Self, Arc<Keyring>, TokenKey), OpenError> {
        let named = open::named(&path);
        let failed = move |reason| OpenError::Store {
            store: named.clone(),
            source: StoreError::Unavailable(reason),
        };
        let task = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || open::open(&path, &keys, &account, durability))
        };
        let opened = task.await.map_err(|_| failed("opening it was stopped"))??;
        let store = Self {
            writer: Writer::start(opened.held).map_err(|_| failed("no thread for its writer"))?,
            readers: Readers::new(opened.readers),
            listers: Readers::new(opened.listers),
            path,
        };
        Ok((store, Arc::new(opened.keyring), opened.tokens))
    }

    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.writer.observed_by(observer);
    }

    pub(super) async fn run<D: Decision>(
        &self,
        decision: D,
        context: Context,
    ) -> Result<D::Outcome, StoreError> {
        let readers = match D::RUN {
            Run::Decide | Run::DecideLong => {
                let decide = move |conn: &mut _| ready(decision.run(&mut SqliteTx(conn), &context));
                return self.writer.decide(decide).await;
            }
            Run::Read | Run::ReadTogether => &self.readers,
            Run::List | Run::ListAll => &self.listers,
        };
        readers
            .read(move |conn| ready(decision.run(&mut SqliteTx(conn), &context)))
            .await
    }

    pub(super) async fn backup(&self, target: PathBuf) -> Result<u64, BackupError> {
        let database = std::path::absolute(&self.path).map_err(backup::io_error("find", &self.path))?;
        let task = tokio::task::spawn_blocking(move || backup::write(&database, &target));
        task.await
            .unwrap_or(Err(StoreError::Unavailable("the backup was stopped").into()))
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.listers.close().await;
        self.writer.close().await;
    }
}

/// See [`Store::inspect`](super::Store::inspect).
pub(super) async fn inspect(
    path: PathBuf,
    keys: KeySource,
    account: Account,
    patience: Duration,
) -> Result<Option<Inspection>, OpenError> {
    let named = open::named(&path);
    let task = tokio::task::spawn_blocking(move || inspect::inspect(&path, &keys, &account, patience));
    task.await.map_err(|_| OpenError::Store {
        store: named,
        source: StoreError::Unavailable("looking at it was stopped"),
    })?
}
