//! Callbacks that an administrator allowed for a client.

use super::audit;
use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::model::{Actor, AllowedRedirectUri, AuditEvent};
use crate::rows::listing::{REDIRECT_URIS, redirect_uri};
use crate::trail::Trail;

/// Gives whether it is new.
pub(super) async fn allow(conn: &Conn, client_id: &str, uri: &str, trail: &Trail) -> Result<bool, Failure> {
    let by = trail.origin.actor.unwrap_or(Actor::Admin);
    let added = conn
        .execute(
            "INSERT INTO redirect_uris (client_id, uri, allowed_at, allowed_by) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (client_id, uri) DO NOTHING",
            &[&client_id, &uri, &trail.now.as_millis(), &by.as_str()],
        )
        .await?;
    if added == 1 {
        let row = trail.redirect_uri(AuditEvent::RedirectUriAllowed, client_id, uri);
        audit::write(conn, row, trail.now).await?;
    }
    Ok(added == 1)
}

/// Gives whether it was there.
pub(super) async fn forget(conn: &Conn, client_id: &str, uri: &str, trail: &Trail) -> Result<bool, Failure> {
    let gone = conn
        .execute(
            "DELETE FROM redirect_uris WHERE client_id = $1 AND uri = $2",
            &[&client_id, &uri],
        )
        .await?;
    if gone == 1 {
        let row = trail.redirect_uri(AuditEvent::RedirectUriForgotten, client_id, uri);
        audit::write(conn, row, trail.now).await?;
    }
    Ok(gone == 1)
}

/// All, in the order in which they were allowed.
pub(super) async fn list(conn: &Conn) -> Result<Vec<AllowedRedirectUri>, Failure> {
    let rows = conn.query(REDIRECT_URIS, &[]).await?;
    let listed = rows.iter().map(|row| redirect_uri(&mut Cells::of(row)));
    Ok(listed.collect::<Result<_, _>>()?)
}
