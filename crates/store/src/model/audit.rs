//! The audit log's vocabulary: what happened, to what, by whom, and how it came out. Fixed words and ids; no secrets.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{AuthorizationId, ConnectionId, GrantId};
use crate::clock::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the store, in files and on pages. A word is never given another meaning.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    Actor {
        /// An OAuth client, at the OAuth endpoints.
        Client = "client",
        /// A person in a browser.
        Person = "person",
        /// The holder of an admin session.
        Admin = "admin",
        /// A user of the command line.
        Operator = "operator",
        /// The broker by itself.
        Broker = "broker",
    }
}

words! {
    /// How it came out.
    AuditOutcome {
        /// It was done.
        Done = "done",
        /// It was refused: nothing changed.
        Refused = "refused",
        /// It was tried and did not succeed.
        Failed = "failed",
    }
}

words! {
    /// What happened. `docs/audit.md` says what each means and which fields it has.
    AuditEvent {
        /// A person was sent to Link. In the commit.
        AuthorizationOpened = "authorization.opened",
        /// An authorization request was refused. Batched.
        AuthorizationRefused = "authorization.refused",
        /// Link succeeded, the connection is stored. In the commit.
        AuthorizationCompleted = "authorization.completed",
        /// The person cancelled for good. In the commit.
        AuthorizationCancelled = "authorization.cancelled",
        /// Nobody used what was completed. In the commit.
        AuthorizationAbandoned = "authorization.abandoned",
        /// A code became a grant. In the commit.
        CodeRedeemed = "code.redeemed",
        /// A code was presented again. Batched.
        CodeReplayed = "code.replayed",
        /// A raw public token became a connection and a grant. In the commit.
        PublicTokenExchanged = "public_token.exchanged",
        /// A refresh token was answered. Batched.
        TokenRefreshed = "token.refreshed",
        /// A public client's refresh token got its successor. In the commit.
        RefreshTokenRotated = "refresh_token.rotated",
        /// A refresh token came again after its successor. Batched; the revocation that follows is in the commit.
        RefreshTokenReused = "refresh_token.reused",
        /// The token, revocation or introspection endpoint refused a request. Batched.
        TokenRefused = "token.refused",
        /// A grant was ended. In the commit.
        GrantRevoked = "grant.revoked",
        /// A connection is not used any more and its removal at Plaid is queued. In the commit.
        ConnectionEnded = "connection.ended",
        /// Plaid has removed the Item. In the commit.
        ConnectionRemoved = "connection.removed",
        /// The Item of an ended connection stays at Plaid, because another connection uses it. In the commit.
        ConnectionItemKept = "connection.item_kept",
        /// An access token was shown. In a commit before it is.
        TokenRevealed = "token.revealed",
        /// A callback was allowed for a client. In the commit.
        RedirectUriAllowed = "redirect_uri.allowed",
        /// An allowed callback was taken back. In the commit.
        RedirectUriForgotten = "redirect_uri.forgotten",
        /// A link to the set-up pages was made.
        AdminLinkMade = "admin.link_made",
        /// Somebody logged in to the set-up pages, or tried to. Batched when refused.
        AdminLogin = "admin.login",
        /// Somebody logged out of the set-up pages.
        AdminLogout = "admin.logout",
        /// All rows are sealed with the first key. In a commit after the last row.
        KeysRotated = "keys.rotated",
        /// A backup was written. In a commit after it was synced.
        BackupMade = "backup.made",
        /// The store was put back from a backup.
        StoreRestored = "store.restored",
        /// Old rows of the audit log were forgotten. In the commit.
        AuditForgotten = "audit.forgotten",
        /// Batched events were dropped because too many came at once; `times` says how many.
        AuditDropped = "audit.dropped",
    }
}

/// Where a decision came from. The store writes it into the rows of the decisions that are made through
/// [`Store::by`](crate::Store::by).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `None`: the usual actor of the decision.
    pub actor: Option<Actor>,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// The request's id, as the log has it.
    pub request_id: Option<String>,
}

impl Origin {
    /// By this actor, without a request.
    #[must_use]
    pub fn actor(actor: Actor) -> Self {
        Self {
            actor: Some(actor),
            ..Self::default()
        }
    }

    /// By a request from this address with this id (empty: none).
    #[must_use]
    pub fn request(address: IpAddr, request_id: String) -> Self {
        Self {
            actor: None,
            address: Some(address),
            request_id: (!request_id.is_empty()).then_some(request_id),
        }
    }

    /// The same, with this actor.
    #[must_use]
    pub fn with_actor(self, actor: Actor) -> Self {
        Self {
            actor: Some(actor),
            ..self
        }
    }
}

/// A row to be written. Build it with [`NewAudit::new`] and the fields that are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewAudit {
    pub event: AuditEvent,
    /// How it came out.
    pub outcome: AuditOutcome,
    pub actor: Actor,
    /// The client, when it is a known one. What a stranger claims to be does not belong here.
    pub client_id: Option<String>,
    pub authorization_id: Option<AuthorizationId>,
    pub connection_id: Option<ConnectionId>,
    pub grant_id: Option<GrantId>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The request's id; of several equal ones, the first one's.
    pub request_id: Option<String>,
    /// A few words that this program wrote, or what an administrator entered. Never what a stranger sent.
    pub detail: Option<Cow<'static, str>>,
}

impl NewAudit {
    /// A row of this event, done, without further fields.
    #[must_use]
    pub fn new(event: AuditEvent, actor: Actor) -> Self {
        Self {
            event,
            outcome: AuditOutcome::Done,
            actor,
            client_id: None,
            authorization_id: None,
            connection_id: None,
            grant_id: None,
            address: None,
            request_id: None,
            detail: None,
        }
    }

    /// With this outcome and the words for it.
    #[must_use]
    pub fn outcome(self, outcome: AuditOutcome, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            outcome,
            detail: Some(detail.into()),
            ..self
        }
    }

    #[must_use]
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Of this client, which is a known one.
    #[must_use]
    pub fn client(self, client_id: &str) -> Self {
        Self {
            client_id: Some(client_id.to_owned()),
            ..self
        }
    }

    #[must_use]
    pub fn grant(self, id: GrantId) -> Self {
        Self {
            grant_id: Some(id),
            ..self
        }
    }

    #[must_use]
    pub fn connection(self, id: ConnectionId) -> Self {
        Self {
            connection_id: Some(id),
            ..self
        }
    }

    #[must_use]
    pub fn authorization(self, id: AuthorizationId) -> Self {
        Self {
            authorization_id: Some(id),
            ..self
        }
    }

    /// From there: its actor, when it names one, its address and its request.
    #[must_use]
    pub fn from(self, origin: &Origin) -> Self {
        Self {
            actor: origin.actor.unwrap_or(self.actor),
            address: origin.address,
            request_id: origin.request_id.clone(),
            ..self
        }
    }
}

/// A batched row: equal ones of a short time are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub new: NewAudit,
    pub at: Timestamp,
    pub last_at: Timestamp,
    /// How often; at least 1.
    pub times: u64,
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditRecord {
    /// Its place in the log: later rows have greater ones.
    pub id: i64,
    /// When, in milliseconds since 1970; of several equal ones, the first.
    pub at: Timestamp,
    /// An [`AuditEvent`]'s word.
    pub event: String,
    /// An [`AuditOutcome`]'s word.
    pub outcome: String,
    /// An [`Actor`]'s word.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    #[serde(rename = "transaction_id", skip_serializing_if = "Option::is_none", default)]
    pub authorization_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant_id: Option<String>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The request's id in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// How many equal ones this row represents.
    pub times: u64,
    /// When the last of them was.
    pub last_at: Timestamp,
}

/// Which rows are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditQuery {
    /// None before this moment.
    pub since: Option<Timestamp>,
    /// Of this client alone.
    pub client_id: Option<String>,
    /// Only rows before this one, to read on.
    pub before_id: Option<i64>,
    pub limit: usize,
}
