//! Decisions about grants: rotate the refresh token, end the grant.

use rusqlite::{Connection as Sqlite, OptionalExtension as _, named_params};

use super::removals;
use crate::clock::Timestamp;
use crate::store::error::StoreError;
use crate::store::model::{GrantId, RemovalReason, Revocation, RevokeOutcome, RotateOutcome, Rotation};

/// The consuming write names the nonce it moves from: one presented token has one successor.
pub(super) fn rotate(conn: &Sqlite, rotation: Rotation, now: Timestamp) -> Result<RotateOutcome, StoreError> {
    let moved = conn
        .prepare_cached(
            "UPDATE grants SET nonce = :to, previous_nonce = nonce, rotated_at = :now \
             WHERE id = :id AND nonce = :from AND revoked_at IS NULL",
        )?
        .execute(named_params! {
            ":to": rotation.to.0,
            ":now": now.as_millis(),
            ":id": rotation.grant_id.0.as_bytes(),
            ":from": rotation.from.0,
        })?;
    Ok(if moved == 1 {
        RotateOutcome::Rotated
    } else {
        RotateOutcome::Moved
    })
}

pub(super) fn revoke(
    conn: &Sqlite,
    id: GrantId,
    revocation: Revocation,
    now: Timestamp,
) -> Result<RevokeOutcome, StoreError> {
    let connection: Option<[u8; 16]> = conn
        .prepare_cached(
            "UPDATE grants SET revoked_at = coalesce(revoked_at, ?1) WHERE id = ?2 RETURNING connection_id",
        )?
        .query_row((now.as_millis(), id.0.as_bytes()), |row| row.get(0))
        .optional()?;
    let Some(connection) = connection else {
        return Ok(RevokeOutcome::NotFound);
    };
    if revocation == Revocation::GrantAndConnection {
        removals::queue_unless_granted(conn, connection, RemovalReason::Revoked, now)?;
    }
    Ok(RevokeOutcome::Revoked)
}
