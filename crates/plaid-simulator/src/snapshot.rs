//! Everything that a simulator remembers, as JSON: a test begins where another has left off.

use serde::{Deserialize, Serialize};

use super::guesses::Guesses;
use super::state::State;
use super::webhook::keys::Keys;
use super::{LinkOptions, PublicTokenReuse};

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

/// A simulator's switches, which can be set while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Switches {
    /// What a second exchange of one public token does.
    pub public_token_reuse: PublicTokenReuse,
    /// Whether calls are limited as in Plaid's Sandbox.
    pub rate_limits: bool,
    /// Choices about Link.
    #[serde(flatten)]
    pub link: LinkOptions,
    /// What the simulator does where Plaid's pages are silent.
    pub guesses: Guesses,
}

/// The whole: tokens, Items, runs of Link, reports, transfers, payments, users, signing keys, switches, the clock and
/// the seed that everybody's data comes of. Faults and webhooks in waiting, counted and recorded calls are left out.
#[derive(Deserialize)]
pub(super) struct Snapshot {
    pub(super) lead_milliseconds: u64,
    pub(super) switches: Switches,
    pub(super) seed: String,
    pub(super) webhook_keys: Keys,
    pub(super) state: State,
}

/// Refers to what a snapshot is written of, so that nothing needs to be copied.
#[derive(Serialize)]
struct Taken<'a> {
    version: u32,
    lead_milliseconds: u64,
    switches: Switches,
    seed: &'a str,
    webhook_keys: &'a Keys,
    state: &'a State,
}

/// The JSON of everything.
pub(super) fn take(
    state: &State,
    webhook_keys: &Keys,
    switches: Switches,
    seed: &str,
    lead_milliseconds: u64,
) -> Result<serde_json::Value, SnapshotError> {
    let taken = Taken {
        version: VERSION,
        lead_milliseconds,
        switches,
        seed,
        webhook_keys,
        state,
    };
    Ok(serde_json::to_value(taken)?)
}

/// Reads what [`take`] wrote.
pub(super) fn read(json: &serde_json::Value) -> Result<Snapshot, SnapshotError> {
    #[derive(Deserialize)]
    struct Form {
        version: u32,
    }
    match Form::deserialize(json)?.version {
        VERSION => Ok(Snapshot::deserialize(json)?),
        other => Err(SnapshotError::Version(other)),
    }
}
