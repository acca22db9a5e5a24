//! Key rotation on `PostgreSQL`: see [`crate::reseal`]. The rows in hand are locked, so that of two instances that
//! do it at once the second one finds them done.

use uuid::Uuid;

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use super::{meta, walk};
use crate::keyring::Keyring;
use crate::model::{ConnectionId, KeysReport, ResealStep};
use crate::reseal::{Tally, again};
use crate::rows::{self, Columns as _};
use crate::tokens::token_key_place;

/// Looks at so many connections after this one; the first step also at the token key.
pub(super) async fn step(
    conn: &Conn,
    keyring: &Keyring,
    after: Option<ConnectionId>,
    limit: usize,
) -> Result<ResealStep, Failure> {
    let mut step = ResealStep::default();
    if after.is_none() {
        token_key(conn, keyring, &mut step).await?;
    }
    let from = after.map_or(Uuid::nil(), |id| id.0);
    let rows = conn
        .query(
            "SELECT id, access_token FROM connections WHERE id > $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE",
            &[&from, &i64::try_from(limit).unwrap_or(i64::MAX)],
        )
        .await?;
    let is_full = rows.len() == limit;
    let (mut ids, mut values) = (Vec::new(), Vec::new());
    for row in &rows {
        let mut cells = Cells::of(row);
        let (id, sealed) = (ConnectionId(cells.id()?), cells.bytes()?);
        if is_full {
            step.next = Some(id);
        }
        if let Some(again) = again(keyring, &rows::access_token_place(id), &sealed, &mut step)? {
            ids.push(id.0);
            values.push(again);
        }
    }
    if !ids.is_empty() {
        conn.execute(
            "UPDATE connections SET access_token = fresh.sealed FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, sealed) \
             WHERE connections.id = fresh.id",
            &[&ids, &values],
        )
        .await?;
    }
    Ok(step)
}

async fn token_key(conn: &Conn, keyring: &Keyring, step: &mut ResealStep) -> Result<(), Failure> {
    let sql = "SELECT value FROM meta WHERE name = 'token_key' FOR NO KEY UPDATE";
    let Some(row) = conn.row(sql, &[]).await? else {
        return Ok(());
    };
    let sealed = Cells::of(&row).bytes()?;
    if let Some(again) = again(keyring, &token_key_place(), &sealed, step)? {
        meta::set(conn, "token_key", &again).await?;
    }
    Ok(())
}

/// Opens every sealed value, to tell which keys are in use and whether all that is needed is there.
pub(super) async fn report(conn: &Conn, keyring: &Keyring) -> Result<KeysReport, Failure> {
    let mut tally = Tally::of(keyring);
    if let Some(sealed) = meta::get(conn, "token_key").await? {
        tally.count(&token_key_place(), &sealed);
    }
    let mut from = Uuid::nil();
    loop {
        let page = walk::page(conn, from, walk::PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(tally.report());
        };
        from = last.0;
        for (id, sealed) in &page {
            tally.count(&rows::access_token_place(*id), sealed);
        }
    }
}
