//! `backup` and `restore`: the store as a file, without the keys.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::operate::{ask, operator_settings, runtime, store_options, unexpected};
use super::{DONE, FAILED, USAGE, complain, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::server::control::{Answer, Request};
use crate::store::{BackupError, OpenError, Restored, Store};
use crate::telemetry::audit::{Actor, AuditEvent, NewAudit};

/// Write a copy of the store to a new file, with the broker running or stopped.
///
/// It is a complete copy, readable by its owner only. The keys that open it are not in it: keep them elsewhere (docs/keys.md).
#[derive(Args, Debug)]
pub(super) struct Backup {
    /// The file to create. A running broker writes it, so the broker must be able to write there.
    file: PathBuf,
}

/// Replace the store by a backup. The broker must be stopped.
///
/// The backup is checked first: that it is a complete store of this program and of this Plaid account, and whether the
/// available keys open it.
#[derive(Args, Debug)]
pub(super) struct Restore {
    /// The file that `backup` wrote.
    file: PathBuf,
    /// Also if a store exists: it is moved aside, not deleted.
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) fn run(self) -> u8 {
        self.done().map_or_else(|code| code, |()| DONE)
    }

    fn done(self) -> Result<(), u8> {
        let config = operator_settings()?;
        let path = std::path::absolute(&self.file).map_err(|error| {
            complain(&format!("{}: {error}", self.file.display()));
            USAGE
        })?;
        match ask(&config, Request::Backup { path })? {
            Answer::BackedUp { path, bytes } => {
                say(&format!("{} ({bytes} bytes)", path.display()));
                complain("The keys are not in it, and without them it cannot be used. Keep them elsewhere.");
                Ok(())
            }
            other => Err(unexpected(other)),
        }
    }
}

impl Restore {
    pub(super) fn run(self) -> u8 {
        self.done().map_or_else(|code| code, |()| DONE)
    }

    fn done(self) -> Result<(), u8> {
        let config = operator_settings()?;
        let runtime = runtime()?;
        let options = store_options(&config);
        let restoring = Store::restore(options, self.file, self.force, SystemClock.now());
        let restored = runtime.block_on(restoring).map_err(|error| refused(&error))?;
        let is_open = report(&restored);
        if restored.keys.is_some() && is_open {
            runtime.block_on(record(&config))?;
        }
        Ok(())
    }
}

fn refused(error: &BackupError) -> u8 {
    complain(&error.to_string());
    match error {
        BackupError::Exists(_) => complain("With --force the existing store is moved aside first."),
        BackupError::Open(OpenError::InUse { .. }) => {
            complain("Stop the broker, restore, and start it again.");
        }
        _ => {}
    }
    FAILED
}

/// Returns whether the available keys open all of it.
fn report(restored: &Restored) -> bool {
    say(&format!("restored: {} connections", restored.connections));
    if let Some(replaced) = &restored.replaced {
        complain(&format!("The previous store is now {}.", replaced.display()));
    }
    let Some(keys) = &restored.keys else {
        complain(
            "warning: there is no key here yet. Put the key file of the backup beside the store, or set BROKER_KEYS, before \
             you start the broker (docs/keys.md).",
        );
        return false;
    };
    if keys.unopened == 0 {
        return true;
    }
    let missing = keys.keys.iter().filter(|key| !key.given);
    let missing: Vec<&str> = missing.map(|key| key.id.as_str()).collect();
    complain(&format!(
        "warning: the available keys do not open {} of its values (sealed with: {}). Add the key of the backup to \
         BROKER_KEYS or the key file before you start the broker (docs/keys.md).",
        keys.unopened,
        missing.join(", ")
    ));
    false
}

/// The store's own audit log records that it was restored.
async fn record(config: &Config) -> Result<(), u8> {
    let failed = |error: String| {
        complain(&format!(
            "restored, but this could not be written to its audit log: {error}"
        ));
        FAILED
    };
    let clock = Arc::new(SystemClock);
    let store = Store::open(store_options(config))
        .await
        .map_err(|error| failed(error.to_string()))?;
    let new = NewAudit::new(AuditEvent::StoreRestored, Actor::Operator);
    let recorded = store.record(new, clock.now()).await;
    store.close().await;
    recorded.map_err(|error| failed(error.to_string()))
}
