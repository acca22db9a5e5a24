//! The store: whose is it, do the keys open it, can it be written, is there room?

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::Context;
use super::file_system;
use super::list::{DISK_SPACE, FILE_SYSTEM, Finding, STORE_KEYS, STORE_WRITABLE};
use crate::config::DatabaseUrl;
use crate::doctor::reporter::Reporter;
use crate::random;
use crate::store::{Inspection, OpenError, Store};

/// For trying the keys on every row; the rest of a larger store is not tried.
const INSPECTION: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(30);
/// A write-ahead log alone may take 64 MiB.
const ROOM_FAILURE: u64 = 64 * 1024 * 1024;
const ROOM_WARNING: u64 = 1024 * 1024 * 1024;

/// Returns what the store contains, when it opens.
pub(super) async fn check(
    context: &Context,
    reporter: &Reporter<'_>,
    is_running: bool,
) -> Option<Inspection> {
    let database = &context.config.store.database;
    let inspect = Store::inspect(context.config.store.clone(), context.account(), INSPECTION);
    let inspected = match database {
        DatabaseUrl::Sqlite(path) => {
            reporter.within(LIMIT, DISK_SPACE, async { room(path) }).await;
            reporter.within(LIMIT, FILE_SYSTEM, shared(path)).await;
            let writable = file_writable(context, path, is_running);
            reporter.within(LIMIT, STORE_WRITABLE, writable).await;
            inspect.await
        }
        DatabaseUrl::Postgres(_) => {
            let server = "The store is in PostgreSQL; this is a matter of its server.";
            reporter.report(DISK_SPACE.skipped(server));
            reporter.report(FILE_SYSTEM.skipped(server));
            let inspected = inspect.await;
            let writable = server_writable(context, &inspected);
            reporter.within(LIMIT, STORE_WRITABLE, writable).await;
            inspected
        }
    };
    let (inspection, finding) = keys(database, inspected);
    reporter.report(finding);
    inspection
}

/// What the broker itself says, when it can be asked.
async fn broker_writable(context: &Context, fix: &str) -> Option<Finding> {
    let (problem, who) = match (&context.app, &context.running) {
        (Some(app), _) => (
            app.store.check().await.err().map(|error| error.to_string()),
            "The broker",
        ),
        (None, Some(running)) => (running.description.store.clone(), "The running broker"),
        (None, None) => return None,
    };
    Some(match problem {
        None => STORE_WRITABLE.ok(format!("{who} wrote and read {}.", context.config.store.database)),
        Some(problem) => STORE_WRITABLE.failed(format!("{who} reports: {}", sentence(&problem)), fix),
    })
}

async fn server_writable(context: &Context, inspected: &Result<Option<Inspection>, OpenError>) -> Finding {
    let fix = "Look at the PostgreSQL server; the broker continues by itself once it can write.";
    if let Some(finding) = broker_writable(context, fix).await {
        return finding;
    }
    let database = &context.config.store.database;
    match inspected {
        Err(_) => STORE_WRITABLE.skipped("The store could not be opened."),
        Ok(None) => STORE_WRITABLE.skipped(format!(
            "There is no store in {database} yet; the first start creates its tables."
        )),
        Ok(Some(Inspection {
            read_only: Some(why), ..
        })) => STORE_WRITABLE.failed(sentence(&format!("{database} cannot be written: {why}")), fix),
        Ok(Some(_)) => STORE_WRITABLE.ok(format!(
            "{database} answers, and its role may write; nothing was written now."
        )),
    }
}

fn keys(
    path: &DatabaseUrl,
    inspected: Result<Option<Inspection>, OpenError>,
) -> (Option<Inspection>, Finding) {
    let restore = "Set BROKER_KEYS (or restore the key file) with the key that sealed them; keep older keys behind the first one.";
    match inspected {
        Err(error) => {
            // These texts say what was found and then what to do.
            let text = error.to_string();
            let (found, fix) = text
                .split_once("; ")
                .or_else(|| text.split_once(". The way back: "))
                .unwrap_or((
                    &text,
                    "Restore the store from a backup, or set DATABASE_URL to another path.",
                ));
            (None, STORE_KEYS.failed(sentence(found), sentence(fix)))
        }
        Ok(None) => (
            None,
            STORE_KEYS.skipped(format!(
                "There is no store at {path} yet; the first start creates it."
            )),
        ),
        Ok(Some(inspection)) => {
            let Inspection { rows, unopened, .. } = inspection;
            let finding = match (&inspection.reason, inspection.whole) {
                (Some(reason), _) => STORE_KEYS.failed(
                    format!("{unopened} of {rows} stored connections do not open: {reason}."),
                    restore,
                ),
                (None, true) => STORE_KEYS.ok(format!("{path}: the keys open all {rows} stored connections.")),
                (None, false) => STORE_KEYS.ok(format!(
                    "{path}: the keys open the first {rows} stored connections; there was no time to try the others."
                )),
            };
            (Some(inspection), finding)
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

async fn file_writable(context: &Context, path: &Path, is_running: bool) -> Finding {
    let fix = "Look at the disk of the data directory; the broker continues by itself once it can write.";
    if let Some(finding) = broker_writable(context, fix).await {
        return finding;
    }
    if is_running {
        return STORE_WRITABLE.skipped(format!(
            "{} is open in another process, most likely the broker, which could not be asked at BROKER_CONTROL_SOCKET ({}); \
             /readyz at its operations address says whether it can write.",
            path.display(),
            context.config.control_socket.display()
        ));
    }
    match try_to_write(path) {
        Ok(Owner::Same) => STORE_WRITABLE.ok(format!("{} can be written.", path.display())),
        Ok(Owner::Other) => STORE_WRITABLE.warning(
            format!("{} belongs to another user than the one who runs this check.", path.display()),
            "Run the check as the user of the broker.",
        ),
        Err(error) => STORE_WRITABLE.failed(
            format!("{} cannot be written: {error}.", path.display()),
            "Make the folder and the files in it writable for the broker's user, or set DATABASE_URL to another path.",
        ),
    }
}

enum Owner {
    Same,
    Other,
}

/// Makes a temporary file beside the database; the database itself is opened for writing and left as it is.
fn try_to_write(path: &Path) -> io::Result<Owner> {
    let made = try_folder(&existing_folder(path)?)?;
    if path.exists() {
        let database = OpenOptions::new().write(true).open(path)?.metadata()?;
        if owner(&database) != owner(&made) {
            return Ok(Owner::Other);
        }
    }
    Ok(Owner::Same)
}

/// Makes a temporary file in this folder.
pub(super) fn try_folder(folder: &Path) -> io::Result<std::fs::Metadata> {
    let name = format!(".check-{:016x}", u64::from_be_bytes(random::bytes()));
    let path = folder.join(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let made = file.and_then(|file| file.metadata());
    // Also when its metadata could not be read.
    let _ = std::fs::remove_file(&path);
    made
}

#[cfg(unix)]
fn owner(file: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(file)
}

#[cfg(not(unix))]
fn owner(_file: &std::fs::Metadata) -> u32 {
    0
}

/// On a thread of its own: an unreachable file server blocks the call.
async fn shared(path: &Path) -> Finding {
    let path = path.to_owned();
    let looking =
        tokio::task::spawn_blocking(move || existing_folder(&path).map(|folder| file_system::check(&folder)));
    match looking.await {
        Ok(Ok(finding)) => finding,
        Ok(Err(error)) => FILE_SYSTEM.skipped(format!("Its folder could not be read: {error}.")),
        Err(_) => FILE_SYSTEM.skipped("The file system could not be checked."),
    }
}

/// The folder of the database, or the nearest existing one above it: the start creates the others.
fn existing_folder(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    path.ancestors()
        .skip(1)
        .find(|folder| folder.is_dir())
        .map(Path::to_owned)
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn room(path: &Path) -> Finding {
    let free = match existing_folder(path).and_then(fs4::available_space) {
        Ok(free) => free,
        Err(error) => return DISK_SPACE.skipped(format!("The free space could not be read: {error}.")),
    };
    let mebibytes = free / (1024 * 1024);
    let found = format!("{mebibytes} MiB are free on the disk of the store.");
    let fix = "Free space on that disk: when it is full, nobody can connect a bank.";
    if free < ROOM_FAILURE {
        DISK_SPACE.failed(found, fix)
    } else if free < ROOM_WARNING {
        DISK_SPACE.warning(found, fix)
    } else {
        DISK_SPACE.ok(found)
    }
}
