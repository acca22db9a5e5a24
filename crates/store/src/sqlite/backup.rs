//! A copy of the store at one moment, made while it is in use.
//!
//! `SQLite` writes it (`VACUUM INTO`) inside of one reading transaction: whatever was acknowledged before is in it whole, and
//! nothing waits meanwhile. It gets its name only once it is on the disk. The keys are not in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::open::{connect, reader};
use crate::error::{BackupError, StoreError};
use crate::files;

/// Writes it. Returns its bytes.
pub(super) fn write(database: &Path, target: &Path) -> Result<u64, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let draft = beside(target, ".partial");
    let done = draft_of(database, &draft).and_then(|bytes| {
        let io = io_error("write", target);
        // A hard link is never made over a file that appeared meanwhile, as a rename would be; some file systems have none.
        fs::hard_link(&draft, target)
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Err(error),
                _ => fs::rename(&draft, target),
            })
            .map_err(&io)?;
        files::sync_directory(&files::parent(target)).map_err(&io)?;
        Ok(bytes)
    });
    drop(fs::remove_file(&draft));
    done
}

fn draft_of(database: &Path, draft: &Path) -> Result<u64, BackupError> {
    let io = io_error("write", draft);
    create_private(draft).map_err(&io)?;
    let conn = reader(database).map_err(StoreError::from)?;
    let into = draft
        .to_str()
        .ok_or_else(|| BackupError::Name(draft.to_owned()))?;
    conn.execute("VACUUM INTO ?1", [into]).map_err(StoreError::from)?;
    drop(conn);
    let file = File::open(draft).map_err(&io)?;
    file.sync_all().map_err(&io)?;
    Ok(file.metadata().map_err(&io)?.len())
}

/// Made anew, for its owner only: what a crash left behind may have been made by anyone.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The same path with something behind its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Io {
        action,
        path: path.clone(),
        source,
    }
}

/// Opened without a lock, without changing it, and without making anything beside it: a file that no other process uses.
pub(super) fn open_still(path: &Path) -> rusqlite::Result<Connection> {
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let address = std::path::absolute(path)
        .ok()
        .and_then(|path| url::Url::from_file_path(path).ok())
        .ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
    // <https://www.sqlite.org/uri.html>: no lock, and no look for a log.
    connect(format!("{address}?immutable=1"), access)
}
