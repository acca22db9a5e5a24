//! Callbacks that an administrator allowed for a client.

use rusqlite::Connection as Sqlite;

use super::audit;
use super::rows::Cells;
use crate::error::StoreError;
use crate::model::{Actor, AllowedRedirectUri, AuditEvent};
use crate::rows::listing::{REDIRECT_URIS, redirect_uri};
use crate::trail::Trail;

/// Gives whether it is new.
pub(super) fn allow(conn: &Sqlite, client_id: &str, uri: &str, trail: &Trail) -> Result<bool, StoreError> {
    let by = trail.origin.actor.unwrap_or(Actor::Admin);
    let added = conn
        .prepare_cached(
            "INSERT INTO redirect_uris (client_id, uri, allowed_at, allowed_by) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO NOTHING",
        )?
        .execute((client_id, uri, trail.now.as_millis(), by.as_str()))?;
    if added == 1 {
        let row = trail.redirect_uri(AuditEvent::RedirectUriAllowed, client_id, uri);
        audit::write(conn, &row, trail.now)?;
    }
    Ok(added == 1)
}

/// Gives whether it was there.
pub(super) fn forget(conn: &Sqlite, client_id: &str, uri: &str, trail: &Trail) -> Result<bool, StoreError> {
    let gone = conn
        .prepare_cached("DELETE FROM redirect_uris WHERE client_id = ?1 AND uri = ?2")?
        .execute((client_id, uri))?;
    if gone == 1 {
        let row = trail.redirect_uri(AuditEvent::RedirectUriForgotten, client_id, uri);
        audit::write(conn, &row, trail.now)?;
    }
    Ok(gone == 1)
}

/// All, in the order in which they were allowed.
pub(super) fn list(conn: &Sqlite) -> Result<Vec<AllowedRedirectUri>, StoreError> {
    let mut statement = conn.prepare_cached(REDIRECT_URIS)?;
    let mut found = statement.query([])?;
    let mut listed = Vec::new();
    while let Some(row) = found.next()? {
        listed.push(redirect_uri(&mut Cells::of(row))?);
    }
    Ok(listed)
}
