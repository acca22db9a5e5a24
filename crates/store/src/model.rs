//! What the store keeps and what its decisions take and give, in the words of the design.

mod audit;
mod authorization;
mod grant;
mod keys;
mod listing;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::secret::PlaidAccessToken;

pub use crate::random::Nonce;
pub use audit::{Actor, AuditEvent, AuditOutcome, AuditQuery, AuditRecord, NewAudit, Noted, Origin};
pub use authorization::{Authorization, Flow, LinkStart, NewAuthorization, OAuthRequest, Stage};
pub use grant::{Grant, NewGrant, Revocation, RevokeOutcome, RotateOutcome, Rotated, Rotation};
pub use keys::{KeyUse, KeysReport, ResealStep};
pub use listing::{
    AllowedRedirectUri, Batch, ConnectionFilter, ConnectionKey, ConnectionState, ConnectionSummary, Counts,
    EndStep, EndTarget, Ended, GrantSummary, KnownHealth, QueuedRemoval,
};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_simple().fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Uuid::try_parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One authorization in progress, bound to one browser. Time-ordered (`UUIDv7`), so rows are appended.
    AuthorizationId;
    /// A Plaid Item with its access token. `UUIDv7`.
    ConnectionId;
    /// The right of one client to one connection. `UUIDv7`.
    GrantId;
}

/// The keyed hash of a public token: what finds its exchange again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicTokenHash(pub [u8; 32]);

/// A connection to be stored. The access token is sealed on its way to the disk.
#[derive(Clone, Debug)]
pub struct NewConnection {
    pub id: ConnectionId,
    /// Plaid's `item_id`.
    pub item_id: String,
    pub access_token: PlaidAccessToken,
    /// Plaid's institution id and name, as Link reported them to the browser; shown to people, never decided on.
    pub institution_id: Option<String>,
    /// See `institution_id`.
    pub institution_name: Option<String>,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    /// Plaid's `item_id`.
    pub item_id: String,
    /// Plaid's access token, opened.
    pub access_token: PlaidAccessToken,
    /// As Link reported it to the browser.
    pub institution_id: Option<String>,
    /// As Link reported it to the browser.
    pub institution_name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its removal was queued or done; a connection with this is not used any more.
    pub removed_at: Option<Timestamp>,
}

/// Who brought a public token first; to everybody else it is an invalid grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicTokenOwner {
    /// A browser, in this authorization.
    Authorization(AuthorizationId),
    /// A client at the token endpoint; the grant is what it was given.
    Client {
        /// `client_id`.
        client_id: String,
        /// What it was given.
        grant_id: GrantId,
    },
}

/// The result of a public token's one exchange.
#[derive(Clone, Debug)]
pub struct PublicTokenRecord {
    pub owner: PublicTokenOwner,
    pub connection_id: ConnectionId,
    pub exchanged_at: Timestamp,
}

/// Input of `complete`: one commit for connection, public token and code.
#[derive(Clone, Debug)]
pub struct Completion {
    pub authorization_id: AuthorizationId,
    /// The keyed hash of the public token.
    pub public_token: PublicTokenHash,
    /// What Plaid gave for it.
    pub connection: NewConnection,
    /// How long the code is good.
    pub code_ttl: Duration,
}

/// Outcome of `complete`. Only [`CompleteOutcome::Completed`] stored the connection that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompleteOutcome {
    /// Stored; the code is the authorization's.
    Completed,
    /// This authorization was completed with this public token before: the answer is the same again.
    Repeated {
        /// What was made then.
        connection_id: ConnectionId,
    },
    /// The public token belongs to another owner.
    PublicTokenTaken,
    /// The authorization is completed with another token, cancelled, abandoned or expired.
    NotOpen,
    /// There is no such authorization.
    NotFound,
}

/// Input of `repeat`: the browser did not get the answer of its completion.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    pub authorization_id: AuthorizationId,
    /// The public token that it was completed with.
    pub public_token: PublicTokenHash,
    /// How long the code is good from now on, should it have run out unredeemed.
    pub code_ttl: Duration,
}

/// Outcome of `repeat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatOutcome {
    /// What was made then is still there to be used.
    Repeated(ConnectionId),
    /// It was abandoned, or was never completed with this token.
    Over,
}

/// Input of `abandon`: what has waited since before these moments is given up.
#[derive(Clone, Copy, Debug)]
pub struct Abandonment {
    /// Codes that were not redeemed.
    pub unredeemed_before: Timestamp,
    /// Connections of the browser login flow, whose sessions have ended.
    pub sessions_before: Timestamp,
}

/// Input of `redeem`.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The code's authorization. Client, redirect URI and PKCE have been checked against it: they never change.
    pub authorization_id: AuthorizationId,
    /// The grant to be made.
    pub grant: NewGrant,
}

/// Outcome of `redeem`: the consuming write is the gate, and exactly one caller passes it.
#[derive(Clone, Debug)]
pub enum RedeemOutcome {
    /// This call won; the grant is stored.
    Redeemed(Connection),
    /// The code was used before.
    AlreadyRedeemed {
        /// The grant that was made from it.
        grant_id: GrantId,
        at: Timestamp,
    },
    /// The code is past its time.
    Expired,
    /// The authorization was never completed, or was abandoned or cancelled, or is not there.
    NotRedeemable,
}

/// Input of `exchange_raw`: one commit for connection, public token and grant.
#[derive(Clone, Debug)]
pub struct RawExchange {
    /// The keyed hash of the public token.
    pub public_token: PublicTokenHash,
    /// What Plaid gave for it.
    pub connection: NewConnection,
    /// What the client gets.
    pub grant: NewGrant,
}

/// Outcome of `exchange_raw`.
#[derive(Clone, Debug)]
pub enum RawExchangeOutcome {
    Exchanged,
    /// The public token was exchanged before; whether this caller may have its result is the caller's to check.
    Taken(PublicTokenRecord),
}

/// Outcome of `cancel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled now, or before.
    Cancelled,
    /// The authorization has been completed (or abandoned after that): it cannot be cancelled any more.
    TooLate,
}

/// Why a connection is to be removed at Plaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// Nobody redeemed its code.
    Unredeemed,
    /// Its last grant was revoked.
    Revoked,
}

/// The durable wish that an Item be removed at Plaid.
#[derive(Clone, Debug)]
pub struct Removal {
    pub connection: Connection,
    pub reason: RemovalReason,
    /// How often Plaid was asked already.
    pub attempts: u32,
}

/// Outcome of `take_removals`.
#[derive(Clone, Debug, Default)]
pub struct TakenRemovals {
    /// What Plaid is to be asked for.
    pub removals: Vec<Removal>,
    /// How many were leased; zero: none was due. More than `removals` where access tokens do not open with our keys.
    pub leased: usize,
}

/// The Plaid account that a store belongs to: another one's tokens would be useless, so it refuses to open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Account {
    /// `simulator`, `sandbox` or `production`.
    pub environment: String,
    pub client_id: String,
}
