//! `BROKER_AUDIT_FILE`: can it be written? Without it the broker does not start.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::context::Context;
use super::list::{AUDIT_FILE, Finding};
use super::storage::try_folder;

pub(super) fn check(context: &Context) -> Finding {
    let Some(path) = &context.config.audit.file else {
        return AUDIT_FILE.skipped("BROKER_AUDIT_FILE is not set; the audit log is in the store.");
    };
    let Err(error) = try_to_write(path) else {
        return AUDIT_FILE.ok(format!("{} can be written.", path.display()));
    };
    let fix = if error.kind() == io::ErrorKind::NotFound {
        "Create its folder (the broker does not), or set BROKER_AUDIT_FILE to another path."
    } else {
        "Make it and its folder writable for the broker's user, or set BROKER_AUDIT_FILE to another path."
    };
    AUDIT_FILE.failed(
        format!(
            "{} cannot be written, so the broker does not start: {error}.",
            path.display()
        ),
        fix,
    )
}

/// An existing file is opened and left as it is; otherwise a temporary file is made beside it.
fn try_to_write(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    try_folder(folder).map(drop)
}
