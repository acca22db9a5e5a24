//! What operators see of connections: never a token.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConnectionId, GrantId};
use crate::clock::Timestamp;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// In use, or waiting to be.
    Live,
    /// Ended; its removal at Plaid is queued.
    Ending,
    Removed,
}

impl ConnectionState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ending => "ending",
            Self::Removed => "removed",
        }
    }
}

/// Which connections are asked for: all that fit every given field, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFilter {
    /// Of this client: it has or had a grant, or the connection was made for it.
    pub client_id: Option<String>,
    /// Of this Item of Plaid's.
    pub item_id: Option<String>,
    pub state: Option<ConnectionState>,
    /// Only those made before this one: pass the last id of a page to get the next page.
    pub before: Option<ConnectionId>,
    /// At most this number.
    pub limit: usize,
}

/// The last that is known of a connection's health; as old as its last refresh or check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHealth {
    /// `healthy`, `unknown`, or Plaid's error code.
    pub word: String,
    /// When Plaid was asked.
    pub at: Timestamp,
}

/// The queued removal of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRemoval {
    /// How often Plaid was asked already.
    pub attempts: u32,
    /// When it is tried next.
    pub next_try: Timestamp,
}

/// A grant, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantSummary {
    pub id: GrantId,
    pub client_id: String,
    pub scope: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was ended, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When its refresh token was answered last; known with a delay of some seconds.
    pub refreshed_at: Option<Timestamp>,
}

/// A connection with its grants, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    pub id: ConnectionId,
    /// Plaid's `item_id`.
    pub item_id: String,
    /// As Link reported it to the browser.
    pub institution_id: Option<String>,
    /// As Link reported it to the browser.
    pub institution_name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its removal was queued or done.
    pub removed_at: Option<Timestamp>,
    pub state: ConnectionState,
    /// The client that it was made for; `None`: a person's own, by the browser login flow.
    pub client_id: Option<String>,
    /// Its health, as far as it was asked for.
    pub health: Option<KnownHealth>,
    pub removal: Option<QueuedRemoval>,
    /// Its grants, the oldest first, ended ones included.
    pub grants: Vec<GrantSummary>,
}

impl ConnectionSummary {
    /// The products of all its grants, each once.
    #[must_use]
    pub fn products(&self) -> Vec<&str> {
        let mut products: Vec<&str> = Vec::new();
        for name in self.grants.iter().flat_map(|grant| &grant.scope) {
            if !products.contains(&name.as_str()) {
                products.push(name);
            }
        }
        products
    }

    /// The clients that have or had it, each once.
    #[must_use]
    pub fn clients(&self) -> Vec<&str> {
        let of_grants = self.grants.iter().map(|grant| grant.client_id.as_str());
        let mut clients: Vec<&str> = Vec::new();
        for id in self.client_id.as_deref().into_iter().chain(of_grants) {
            if !clients.contains(&id) {
                clients.push(id);
            }
        }
        clients
    }

    /// When any of its refresh tokens was answered last.
    #[must_use]
    pub fn refreshed_at(&self) -> Option<Timestamp> {
        self.grants.iter().filter_map(|grant| grant.refreshed_at).max()
    }
}

/// One connection, by what people have at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKey {
    /// Our id of it.
    Id(ConnectionId),
    /// Plaid's `item_id`.
    Item(String),
}

impl ConnectionKey {
    /// What a person typed: 32 hexadecimal digits (or with hyphens) are our id, anything else is an Item's.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) => Self::Id(ConnectionId(id)),
            Err(_) => Self::Item(text.to_owned()),
        }
    }
}

/// What an operator ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndTarget {
    /// One connection, with all its grants.
    One(ConnectionKey),
    /// All grants of a client, and the connections that no other client uses.
    Client(String),
    /// Everything: the kill switch.
    All,
}

impl EndTarget {
    /// The client whose grants alone are ended.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Client(id) => Some(id),
            Self::One(_) | Self::All => None,
        }
    }
}

/// How much `end_step` ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How many connections the target names, ended before or not; none: there is nothing of that name.
    pub found: u64,
    /// How many grants were ended now.
    pub grants: u64,
    /// How many connections were ended now, their removal being queued.
    pub connections: u64,
}

impl std::ops::AddAssign for Ended {
    fn add_assign(&mut self, other: Self) {
        self.found += other.found;
        self.grants += other.grants;
        self.connections += other.connections;
    }
}

/// Outcome of `end_step`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndStep {
    /// What this step ended.
    pub ended: Ended,
    /// How many connections it examined.
    pub examined: u64,
    /// Where the next step goes on; `None`: this was the last one.
    pub next: Option<ConnectionId>,
}

/// A callback that an administrator allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedRedirectUri {
    pub client_id: String,
    pub uri: String,
    pub allowed_at: Timestamp,
    /// By whom: an [`Actor`](super::Actor)'s word.
    pub allowed_by: String,
}

/// What the background task brings: one commit for all of it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows of the audit log.
    pub noted: Vec<super::Noted>,
    /// When each grant's refresh token was answered last.
    pub refreshed: Vec<(GrantId, Timestamp)>,
    /// What Plaid said of connections: [`KnownHealth`]'s word, and when.
    pub health: Vec<(ConnectionId, String, Timestamp)>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.noted.is_empty() && self.refreshed.is_empty() && self.health.is_empty()
    }

    /// Takes the first rows out of it, at most this many.
    #[must_use]
    pub fn take(&mut self, rows: usize) -> Self {
        let noted: Vec<_> = self.noted.drain(..rows.min(self.noted.len())).collect();
        let rows = rows - noted.len();
        let refreshed: Vec<_> = self.refreshed.drain(..rows.min(self.refreshed.len())).collect();
        let rows = rows - refreshed.len();
        let health = self.health.drain(..rows.min(self.health.len())).collect();
        Self {
            noted,
            refreshed,
            health,
        }
    }
}

/// How many of what there are, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Live connections by the word of their last known health; `unasked` where none is known.
    pub live_by_health: BTreeMap<String, u64>,
    /// Ended connections whose removal at Plaid is queued: the length of the removal queue.
    pub ending: u64,
    /// How long the removal that waits longest has been queued.
    pub oldest_removal: Option<Duration>,
    pub removed: u64,
    /// Authorizations by stage: `open`, `completed`, `redeemed`, `abandoned`, `cancelled`. Expired open ones count until
    /// they are purged.
    pub authorizations: BTreeMap<&'static str, u64>,
    /// Codes that can be redeemed now.
    pub codes_outstanding: u64,
    pub grants: u64,
}

impl Counts {
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live_by_health.values().sum()
    }
}
