//! Decisions about grants: rotate the refresh token, end the grant.

use super::removals::{self, Unused};
use super::{audit, connections};
use crate::Store;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    ConnectionId, GrantId, RemovalReason, Revocation, RevokeOutcome, RotateOutcome, Rotation,
};
use crate::tx::{Context, Decision, Failure, Tx, values};

impl Store {
    /// Replaces the refresh token of a public client by its one successor (RFC 9700 4.14.2).
    pub async fn rotate(&self, rotation: Rotation, now: Timestamp) -> Result<RotateOutcome, StoreError> {
        self.decide(rotation, now).await
    }

    /// Ends a grant; what is to be removed at Plaid for it is queued in the same commit (RFC 7009).
    pub async fn revoke(
        &self,
        id: GrantId,
        revocation: Revocation,
        now: Timestamp,
    ) -> Result<RevokeOutcome, StoreError> {
        self.decide(Revoke { id, revocation }, now).await
    }
}

impl Decision for Rotation {
    type Outcome = RotateOutcome;

    /// The consuming write names the nonce it moves from: one presented token has one successor.
    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<RotateOutcome, Failure> {
        let moved = tx
            .row(
                "UPDATE grants SET nonce = ?1, previous_nonce = nonce, rotated_at = ?2 \
                 WHERE id = ?3 AND nonce = ?4 AND revoked_at IS NULL RETURNING client_id, connection_id",
                &values![&self.to.0, context.now(), self.grant_id, &self.from.0],
                |row| Ok((row.text()?, ConnectionId(row.id()?))),
            )
            .await?;
        let Some((client_id, connection)) = moved else {
            return Ok(RotateOutcome::Moved);
        };
        let row = context.audit.rotated(self.grant_id, &client_id, connection);
        audit::write(tx, context, &[row]).await?;
        Ok(RotateOutcome::Rotated)
    }
}

struct Revoke {
    id: GrantId,
    revocation: Revocation,
}

impl Decision for Revoke {
    type Outcome = RevokeOutcome;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<RevokeOutcome, Failure> {
        let sql = "SELECT client_id, connection_id FROM grants WHERE id = ?1";
        let found = tx
            .row(sql, &values![self.id], |row| {
                Ok((row.text()?, ConnectionId(row.id()?)))
            })
            .await?;
        let Some((client_id, connection)) = found else {
            return Ok(RevokeOutcome::NotFound);
        };
        connections::lock_all(tx, &vec![connection.0]).await?;
        let sql = "UPDATE grants SET revoked_at = ?1 WHERE id = ?2 AND revoked_at IS NULL";
        if tx.execute(sql, &values![context.now(), self.id]).await? == 1 {
            let row = context.audit.revoked(self.id, &client_id, connection);
            audit::write(tx, context, &[row]).await?;
        }
        if self.revocation == Revocation::GrantAndConnection {
            let client_id = Some(client_id);
            let unused = vec![Unused {
                connection,
                client_id,
            }];
            removals::end_unused(tx, context, unused, RemovalReason::Revoked).await?;
        }
        Ok(RevokeOutcome::Revoked)
    }
}
