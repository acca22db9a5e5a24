//! Decisions about grants: rotate the refresh token, end the grant.

use rusqlite::{Connection as Sqlite, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::{audit, removals};
use crate::error::StoreError;
use crate::model::{
    ConnectionId, GrantId, RemovalReason, Revocation, RevokeOutcome, RotateOutcome, Rotation,
};
use crate::trail::Trail;

/// The consuming write names the nonce it moves from: one presented token has one successor.
pub(super) fn rotate(conn: &Sqlite, rotation: Rotation, trail: &Trail) -> Result<RotateOutcome, StoreError> {
    let moved: Option<(String, [u8; 16])> = conn
        .prepare_cached(
            "UPDATE grants SET nonce = :to, previous_nonce = nonce, rotated_at = :now \
             WHERE id = :id AND nonce = :from AND revoked_at IS NULL RETURNING client_id, connection_id",
        )?
        .query_row(
            named_params! {
                ":to": rotation.to.0,
                ":now": trail.now.as_millis(),
                ":id": rotation.grant_id.0.as_bytes(),
                ":from": rotation.from.0,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((client_id, connection_id)) = moved else {
        return Ok(RotateOutcome::Moved);
    };
    let connection = ConnectionId(Uuid::from_bytes(connection_id));
    let row = trail.rotated(rotation.grant_id, &client_id, connection);
    audit::write(conn, &row, trail.now)?;
    Ok(RotateOutcome::Rotated)
}

pub(super) fn revoke(
    conn: &Sqlite,
    id: GrantId,
    revocation: Revocation,
    trail: &Trail,
) -> Result<RevokeOutcome, StoreError> {
    let grant: Option<(String, [u8; 16], bool)> = conn
        .prepare_cached("SELECT client_id, connection_id, revoked_at IS NULL FROM grants WHERE id = ?1")?
        .query_row([id.0.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((client_id, connection, live)) = grant else {
        return Ok(RevokeOutcome::NotFound);
    };
    let connection = ConnectionId(Uuid::from_bytes(connection));
    if live {
        end(conn, id, &client_id, connection, trail)?;
    }
    if revocation == Revocation::GrantAndConnection {
        let client_id = Some(client_id);
        removals::queue_unless_granted(conn, connection, client_id, RemovalReason::Revoked, trail)?;
    }
    Ok(RevokeOutcome::Revoked)
}

/// Ends a grant that lives.
pub(super) fn end(
    conn: &Sqlite,
    id: GrantId,
    client_id: &str,
    connection: ConnectionId,
    trail: &Trail,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE grants SET revoked_at = ?1 WHERE id = ?2")?
        .execute((trail.now.as_millis(), id.0.as_bytes()))?;
    audit::write(conn, &trail.revoked(id, client_id, connection), trail.now)
}
