//! Everything that a simulator remembers, as JSON: a test begins where another has left off.

use serde::{Deserialize, Serialize};

use super::PublicTokenReuse;
use super::item::Item;
use super::link_token::LinkToken;
use super::shelf::Shelf;
use super::state::{PublicToken, State};
use super::user::User;

/// The form of the JSON. A snapshot of another form is refused.
const VERSION: u32 = 1;

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
}

/// The whole. Runs of Link that are under way, faults and webhooks in waiting, recorded calls and signing keys
/// are left out.
#[derive(Deserialize, Serialize)]
pub(super) struct Snapshot {
    version: u32,
    pub(super) lead_milliseconds: u64,
    pub(super) switches: Switches,
    link_tokens: Vec<LinkToken>,
    public_tokens: Vec<(String, PublicToken)>,
    items: Vec<Item>,
    access_tokens: Vec<(String, String)>,
    users: Vec<(String, User)>,
}

/// Refers to what a snapshot is written of, so that nothing needs to be copied.
#[derive(Serialize)]
struct Taken<'a> {
    version: u32,
    lead_milliseconds: u64,
    switches: Switches,
    link_tokens: Vec<&'a LinkToken>,
    public_tokens: Vec<(&'a String, &'a PublicToken)>,
    items: Vec<&'a Item>,
    access_tokens: Vec<(&'a String, &'a String)>,
    users: Vec<(&'a String, &'a User)>,
}

/// The JSON of everything.
pub(super) fn take(
    state: &State,
    switches: Switches,
    lead_milliseconds: u64,
) -> Result<serde_json::Value, SnapshotError> {
    let taken = Taken {
        version: VERSION,
        lead_milliseconds,
        switches,
        link_tokens: state.link_tokens.entries().map(|(_, token)| token).collect(),
        public_tokens: state.public_tokens.entries().collect(),
        items: state.items.entries().map(|(_, item)| item).collect(),
        access_tokens: state.access_tokens.entries().collect(),
        users: state.users.entries().collect(),
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

impl Snapshot {
    /// The state that was.
    pub(super) fn state(self) -> State {
        let mut state = State::default();
        fill(
            &mut state.link_tokens,
            self.link_tokens
                .into_iter()
                .map(|token| (token.token.clone(), token)),
        );
        let pages = state.link_tokens.entries().filter_map(|(token, link_token)| {
            let hosted = link_token.hosted.as_ref()?;
            Some((hosted.id.clone(), token.clone()))
        });
        fill(&mut state.hosted_links, pages);
        fill(&mut state.public_tokens, self.public_tokens);
        let items = self.items.into_iter();
        fill(&mut state.items, items.map(|item| (item.id().to_owned(), item)));
        fill(&mut state.access_tokens, self.access_tokens);
        fill(&mut state.users, self.users);
        state
    }
}

fn fill<V>(shelf: &mut Shelf<V>, entries: impl IntoIterator<Item = (String, V)>) {
    for (key, value) in entries {
        shelf.insert(key, value);
    }
}
