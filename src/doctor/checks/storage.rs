//! The store: whose is it, do the keys open it, can it be written, is there room?

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::Context;
use super::file_system;
use super::finding::{DISK_SPACE, FILE_SYSTEM, Finding, STORE_KEYS, STORE_WRITABLE};
use super::tell::Tell;
use crate::config::DatabaseUrl;
use crate::random;
use crate::store::{Inspection, OpenError, Store};

/// For trying the keys on every row; the rest of a larger store is told to be untried.
const PATIENCE: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(30);
/// A write-ahead log alone may take 64 MiB.
const ROOM_FAILURE: u64 = 64 * 1024 * 1024;
const ROOM_WARNING: u64 = 1024 * 1024 * 1024;

/// Gives what the store told, when it opens.
pub(super) async fn check(context: &Context, tell: &Tell<'_>, is_running: bool) -> Option<Inspection> {
    let database = &context.config.store.database;
    let inspect = Store::inspect(context.config.store.clone(), context.account(), PATIENCE);
    let inspected = match database {
        DatabaseUrl::Sqlite(path) => {
            tell.within(LIMIT, DISK_SPACE, async { room(path) }).await;
            tell.within(LIMIT, FILE_SYSTEM, shared(path)).await;
            tell.within(LIMIT, STORE_WRITABLE, writable(context, path, is_running))
                .await;
            inspect.await
        }
        DatabaseUrl::Postgres(_) => {
            tell.say(
                DISK_SPACE.skipped("The store is in PostgreSQL, whose server knows how much room it has."),
            );
            tell.say(FILE_SYSTEM.skipped("The store is in PostgreSQL, whose server knows what it is on."));
            let inspected = inspect.await;
            tell.within(LIMIT, STORE_WRITABLE, server(context, database, &inspected))
                .await;
            inspected
        }
    };
    let (inspection, finding) = keys(database, inspected);
    tell.say(finding);
    inspection
}

/// Whether the database server takes writes.
async fn server(
    context: &Context,
    database: &DatabaseUrl,
    inspected: &Result<Option<Inspection>, OpenError>,
) -> Finding {
    let fix = "Look at the PostgreSQL server; the broker goes on by itself once it can write.";
    if let Some(app) = &context.app {
        return match app.store.check().await {
            Ok(()) => STORE_WRITABLE.ok(format!("{database} was written and read.")),
            Err(error) => STORE_WRITABLE.failed(sentence(&error.to_string()), fix),
        };
    }
    if let Some(problem) = context
        .running
        .as_ref()
        .and_then(|running| running.description.store.as_ref())
    {
        return STORE_WRITABLE.failed(format!("The broker that runs says: {}", sentence(problem)), fix);
    }
    match inspected {
        Err(_) => STORE_WRITABLE.skipped("The store could not be looked at."),
        Ok(None) => STORE_WRITABLE.skipped(format!(
            "There is no store in {database} yet; the first start makes its tables."
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
            // These texts tell what was found and then what to do.
            let text = error.to_string();
            let (found, fix) = text
                .split_once("; ")
                .or_else(|| text.split_once(". The way back: "))
                .unwrap_or((
                    &text,
                    "Restore the store from a backup, or set DATABASE_URL to another place.",
                ));
            (None, STORE_KEYS.failed(sentence(found), sentence(fix)))
        }
        Ok(None) => (
            None,
            STORE_KEYS.skipped(format!(
                "There is no store at {path} yet; the first start makes it."
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
                    "{path}: the keys open the first {rows} stored connections; the others were not tried in time."
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

async fn writable(context: &Context, path: &Path, is_running: bool) -> Finding {
    if let Some(app) = &context.app {
        return match app.store.check().await {
            Ok(()) => STORE_WRITABLE.ok(format!("{} was written and read.", path.display())),
            Err(error) => STORE_WRITABLE.failed(
                sentence(&error.to_string()),
                "Look at the disk of the data directory; the broker goes on by itself once it can write.",
            ),
        };
    }
    if let Some(running) = &context.running {
        return match &running.description.store {
            None => STORE_WRITABLE.ok(format!("The broker that runs wrote and read {}.", path.display())),
            Some(problem) => STORE_WRITABLE.failed(
                format!("The broker that runs says: {}", sentence(problem)),
                "Look at the disk of the data directory; the broker goes on by itself once it can write.",
            ),
        };
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
            format!("{} belongs to another user than the one who checks.", path.display()),
            "Run the check as the user of the broker, to see what that one can do.",
        ),
        Err(error) => STORE_WRITABLE.failed(
            format!("{} cannot be written: {error}.", path.display()),
            "Make the folder and the files in it writable for the broker's user, or set DATABASE_URL to another place.",
        ),
    }
}

enum Owner {
    Same,
    Other,
}

/// Writes a file of a moment beside the database; the database itself is opened for writing and left as it is.
fn try_to_write(path: &Path) -> io::Result<Owner> {
    let made = probe(&existing_folder(path)?)?;
    if path.exists() {
        let database = OpenOptions::new().write(true).open(path)?.metadata()?;
        if owner(&database) != owner(&made) {
            return Ok(Owner::Other);
        }
    }
    Ok(Owner::Same)
}

/// Makes a file of a moment in this folder.
pub(super) fn probe(folder: &Path) -> io::Result<std::fs::Metadata> {
    let name = format!(".check-{:016x}", u64::from_be_bytes(random::bytes()));
    let probe = folder.join(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&probe);
    let made = file.and_then(|file| file.metadata());
    // Also when its metadata could not be had.
    let _ = std::fs::remove_file(&probe);
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

/// On a thread of its own: a server that is away holds up the call.
async fn shared(path: &Path) -> Finding {
    let path = path.to_owned();
    let looking =
        tokio::task::spawn_blocking(move || existing_folder(&path).map(|folder| file_system::check(&folder)));
    match looking.await {
        Ok(Ok(finding)) => finding,
        Ok(Err(error)) => FILE_SYSTEM.skipped(format!("Its folder could not be looked at: {error}.")),
        Err(_) => FILE_SYSTEM.skipped("It could not be looked at."),
    }
}

/// The folder of the database, or the nearest one above it that is there: the start makes the others.
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
    let found = format!("{mebibytes} MiB are free where the store lies.");
    let fix = "Make room on that disk: when it is full, nobody can connect a bank until there is some.";
    if free < ROOM_FAILURE {
        DISK_SPACE.failed(found, fix)
    } else if free < ROOM_WARNING {
        DISK_SPACE.warning(found, fix)
    } else {
        DISK_SPACE.ok(found)
    }
}
