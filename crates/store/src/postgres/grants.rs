//! Decisions about grants: rotate the refresh token, end the grant.

use super::failure::Failure;
use super::pool::Conn;
use super::removals::{self, Unused};
use super::rows::Cells;
use super::{audit, listing};
use crate::model::{
    ConnectionId, GrantId, RemovalReason, Revocation, RevokeOutcome, RotateOutcome, Rotation,
};
use crate::rows::Columns as _;
use crate::trail::Trail;

/// The consuming write names the nonce it moves from: one presented token has one successor.
pub(super) async fn rotate(conn: &Conn, rotation: Rotation, trail: &Trail) -> Result<RotateOutcome, Failure> {
    let moved = conn
        .row(
            "UPDATE grants SET nonce = $1, previous_nonce = nonce, rotated_at = $2 \
             WHERE id = $3 AND nonce = $4 AND revoked_at IS NULL RETURNING client_id, connection_id",
            &[
                &rotation.to.0.as_slice(),
                &trail.now.as_millis(),
                &rotation.grant_id.0,
                &rotation.from.0.as_slice(),
            ],
        )
        .await?;
    let Some(row) = moved else {
        return Ok(RotateOutcome::Moved);
    };
    let mut cells = Cells::of(&row);
    let (client_id, connection) = (cells.text()?, ConnectionId(cells.id()?));
    let row = trail.rotated(rotation.grant_id, &client_id, connection);
    audit::write(conn, row, trail.now).await?;
    Ok(RotateOutcome::Rotated)
}

pub(super) async fn revoke(
    conn: &Conn,
    id: GrantId,
    revocation: Revocation,
    trail: &Trail,
) -> Result<RevokeOutcome, Failure> {
    let grant = conn
        .row(
            "SELECT client_id, connection_id FROM grants WHERE id = $1",
            &[&id.0],
        )
        .await?;
    let Some(row) = grant else {
        return Ok(RevokeOutcome::NotFound);
    };
    let mut cells = Cells::of(&row);
    let (client_id, connection) = (cells.text()?, cells.id()?);
    listing::lock(conn, &[connection]).await?;
    let ended = conn
        .execute(
            "UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
            &[&trail.now.as_millis(), &id.0],
        )
        .await?;
    let connection = ConnectionId(connection);
    if ended == 1 {
        audit::write(conn, trail.revoked(id, &client_id, connection), trail.now).await?;
    }
    if revocation == Revocation::GrantAndConnection {
        let unused = Unused {
            connection,
            client_id: Some(client_id),
        };
        removals::queue_unless_granted(conn, vec![unused], RemovalReason::Revoked, trail).await?;
    }
    Ok(RevokeOutcome::Revoked)
}
