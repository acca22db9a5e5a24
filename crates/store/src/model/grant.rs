//! The right of a client to a connection: how it is made, rotated and ended.

use super::{ConnectionId, GrantId, Nonce};
use crate::clock::Timestamp;

/// A grant to be stored.
#[derive(Clone, Debug)]
pub struct NewGrant {
    pub id: GrantId,
    /// The random value that its refresh token is derived from.
    pub nonce: Nonce,
    pub client_id: String,
    /// The granted products, as in `scope`.
    pub scope: Vec<String>,
}

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: GrantId,
    /// See [`NewGrant::nonce`].
    pub nonce: Nonce,
    pub client_id: String,
    /// Which connection it opens.
    pub connection_id: ConnectionId,
    pub scope: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was ended, if it was.
    pub revoked_at: Option<Timestamp>,
    /// The last rotation of its refresh token; a confidential client's does not rotate.
    pub rotated: Option<Rotated>,
}

/// The last rotation of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// What the refresh token before was derived from.
    pub previous: Nonce,
    pub at: Timestamp,
}

/// Input of `rotate`: from one refresh token to its one successor.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    pub grant_id: GrantId,
    /// What the presented token was derived from.
    pub from: Nonce,
    /// What its successor is derived from.
    pub to: Nonce,
}

/// Outcome of `rotate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotateOutcome {
    Rotated,
    /// Another call was faster, or the grant was ended: decide again on the current row.
    Moved,
}

/// How much a revocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The grant alone: its refresh token is dead, the Item stays.
    Grant,
    /// The grant, and the removal of its connection is queued once no other live grant uses it.
    GrantAndConnection,
}

/// Outcome of `revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// The grant is dead, now or since before.
    Revoked,
    /// There is no such grant.
    NotFound,
}
