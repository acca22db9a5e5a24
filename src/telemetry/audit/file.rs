//! `BROKER_AUDIT_FILE`: the audit log as JSON lines, for log collectors.
//!
//! It follows the table, so each row comes once and in its order; after a crash the last ones may come twice, and their
//! `id` shows. The file is opened at each append: to rotate it, move it away.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::store::model::AuditRecord;
use crate::store::{Store, StoreError};

const BATCH: usize = 500;
const LONGEST_LINE: u64 = 16 * 1024;

#[derive(Debug, Error)]
#[error("cannot write the audit file {}: {source}; make it writable for this user, or set BROKER_AUDIT_FILE to another place", path.display())]
pub struct FileError {
    path: PathBuf,
    source: io::Error,
}

pub(super) struct AuditFile {
    path: PathBuf,
    /// The last row that stands in it, once that is known.
    last: Option<i64>,
    failing: bool,
}

impl AuditFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            last: None,
            failing: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), FileError> {
        open(&self.path).map(drop).map_err(|source| FileError {
            path: self.path.clone(),
            source,
        })
    }

    /// Appends what the table has beyond the file. A failure to write is logged and tried again: the
    /// table has everything.
    pub(super) async fn follow(&mut self, store: &Store) -> Result<(), StoreError> {
        let last = match self.last {
            Some(last) => last,
            None => match self.found_last(store).await? {
                Some(last) => last,
                // Next time, then.
                None => return Ok(()),
            },
        };
        self.last = Some(last);
        let mut last = last;
        loop {
            let records = store.audit_after(last, BATCH).await?;
            let Some(newest) = records.last().map(|record| record.id) else {
                return Ok(());
            };
            let path = self.path.clone();
            let lines = lines(&records);
            let appended = tokio::task::spawn_blocking(move || append(&path, &lines)).await;
            match appended.unwrap_or_else(|_| Err(io::Error::other("it was stopped"))) {
                Ok(()) => {
                    if std::mem::take(&mut self.failing) {
                        tracing::info!(path = %self.path.display(), "audit file writable again");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tracing::error!(%error, path = %self.path.display(),
                            "audit file not writable; its rows wait in the store");
                    }
                    return Ok(());
                }
            }
            store.mark_audit_file(newest).await?;
            self.last = Some(newest);
            last = newest;
        }
    }

    /// What the file itself says, or else the store: a rotated file is empty.
    async fn found_last(&self, store: &Store) -> Result<Option<i64>, StoreError> {
        let path = self.path.clone();
        let in_file = tokio::task::spawn_blocking(move || last_id(&path)).await;
        let in_file = in_file.ok().and_then(Result::ok).flatten();
        let marked = store.audit_file_mark().await?;
        // A file of another store may have ids that do not exist yet.
        let newest = store.last_audit_id().await?;
        Ok(newest.map(|newest| in_file.unwrap_or(0).max(marked).min(newest)))
    }
}

fn lines(records: &[AuditRecord]) -> String {
    let mut text = String::new();
    for record in records {
        // A record is made of text and numbers alone, which always is JSON.
        text.push_str(&serde_json::to_string(record).unwrap_or_default());
        text.push('\n');
    }
    text
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    let mut file = open(path)?;
    if !ends_whole(&mut file)? {
        // A crash cut the last line: the next one must not become part of it.
        file.write_all(b"\n")?;
    }
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

fn ends_whole(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn last_id(path: &Path) -> io::Result<Option<i64>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LONGEST_LINE)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let whole = tail.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let ids = whole
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<AuditRecord>(line).ok());
    Ok(ids.map(|record| record.id).next())
}
