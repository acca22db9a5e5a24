//! Everything that a simulator remembers, as JSON: a test begins where another has left off.

use serde::{Deserialize, Serialize};

use crate::items::State;
use crate::spec::switches::Switches;
use crate::webhooks::keys::Keys;

/// The form of the JSON. A snapshot of another form is refused.
const VERSION: u32 = 3;

/// Why a snapshot cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is no snapshot, or names what this simulator does not know.
    #[error("this is not a snapshot of a simulator: {0}")]
    Form(#[from] serde_json::Error),
    /// It was taken by another version of the simulator.
    #[error("this snapshot has the form {0}, and this simulator reads the form {VERSION}: take it again")]
    Version(u32),
}

/// The whole: tokens, Items, runs of Link, reports, transfers, payments, users, signing keys, switches, the clock and
/// the seed that everybody's data comes of. Faults and webhooks in waiting, counted and recorded calls are left out.
#[derive(Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) lead_milliseconds: u64,
    pub(crate) switches: Switches,
    pub(crate) seed: String,
    pub(crate) webhook_keys: Keys,
    pub(crate) state: State,
}

/// Refers to what a snapshot is written of, so that nothing needs to be copied.
#[derive(Serialize)]
pub(crate) struct Taken<'a> {
    version: u32,
    lead_milliseconds: u64,
    switches: Switches,
    seed: &'a str,
    webhook_keys: &'a Keys,
    state: &'a State,
}

impl<'a> Taken<'a> {
    pub(crate) fn new(
        state: &'a State,
        webhook_keys: &'a Keys,
        switches: Switches,
        seed: &'a str,
        lead_milliseconds: u64,
    ) -> Self {
        Self {
            version: VERSION,
            lead_milliseconds,
            switches,
            seed,
            webhook_keys,
            state,
        }
    }
}

/// Reads what was written of [`Taken`].
pub(crate) fn read(json: &serde_json::Value) -> Result<Snapshot, SnapshotError> {
    #[derive(Deserialize)]
    struct Form {
        version: u32,
    }
    match Form::deserialize(json)?.version {
        VERSION => Ok(Snapshot::deserialize(json)?),
        other => Err(SnapshotError::Version(other)),
    }
}
