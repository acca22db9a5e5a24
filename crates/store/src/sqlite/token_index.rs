//! The index from access tokens to connections in an `SQLite` file: see [`crate::token_index`].

use rusqlite::Connection as Sqlite;
use uuid::Uuid;

use super::SqliteStore;
use super::open::meta;
use super::rows::Cells;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{Connection, ConnectionId, Grant};
use crate::rows;
use crate::secret::PlaidAccessToken;
use crate::token_index::{ItemUse, Needed, PROGRESS, Progress, Step, decided, hashed};
use crate::tokens::{AccessTokenHash, TokenKey};

pub(super) fn insert(conn: &Sqlite, hash: AccessTokenHash, id: ConnectionId) -> Result<(), StoreError> {
    // The pass over older connections also meets newer ones, which are there already.
    conn.prepare_cached(
        "INSERT INTO access_tokens (hash, connection_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute((hash.0, id.0.as_bytes()))?;
    Ok(())
}

fn grants(
    conn: &Sqlite,
    keyring: &Keyring,
    hash: AccessTokenHash,
    token: &PlaidAccessToken,
    needed: Needed,
) -> Result<Vec<(Grant, Connection)>, StoreError> {
    // Read first: a pass that ends in between does not make an older look complete.
    let progress = meta(conn, PROGRESS)?;
    let sql = format!(
        "SELECT {}, {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
         JOIN grants ON grants.connection_id = connections.id WHERE access_tokens.hash = ?1 ORDER BY grants.id DESC",
        rows::GRANT,
        rows::CONNECTION
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([hash.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Cells::of(row);
        found.push((
            rows::grant(&mut columns)?,
            rows::connection(&mut columns, keyring)?,
        ));
    }
    decided(found, token, progress.as_deref(), needed)
}

fn item_use(
    conn: &Sqlite,
    keyring: &Keyring,
    hash: AccessTokenHash,
    connection: &Connection,
) -> Result<ItemUse, StoreError> {
    // Read first, as for the grants.
    let progress = Progress::read(meta(conn, PROGRESS)?.as_deref())?;
    let sql = format!(
        "SELECT {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
         WHERE access_tokens.hash = ?1 AND connections.id <> ?2 AND connections.removed_at IS NULL",
        rows::CONNECTION
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query((hash.0, connection.id.0.as_bytes()))?;
    while let Some(row) = rows.next()? {
        let other = rows::connection(&mut Cells::of(row), keyring)?;
        if other.access_token.matches(connection.access_token.expose()) {
            return Ok(ItemUse::Elsewhere);
        }
    }
    Ok(progress.nothing_found())
}

fn step(conn: &Sqlite, keyring: &Keyring, tokens: &TokenKey, limit: usize) -> Result<Step, StoreError> {
    let progress = Progress::read(meta(conn, PROGRESS)?.as_deref())?;
    if progress.is_done {
        return Ok(Step::Done);
    }
    let mut statement =
        conn.prepare_cached("SELECT id, access_token FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let page = (
        progress.after.as_bytes(),
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let page = statement
        .query_map(page, |row| {
            Ok((ConnectionId(Uuid::from_bytes(row.get(0)?)), row.get(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let (hashes, progress, step) = hashed(progress, &page, limit, keyring, tokens);
    for (hash, id) in hashes {
        insert(conn, hash, id)?;
    }
    conn.prepare_cached("UPDATE meta SET value = ?1 WHERE name = ?2")?
        .execute((progress.bytes(), PROGRESS))?;
    Ok(step)
}

impl SqliteStore {
    pub(crate) async fn grants_by_access_token(
        &self,
        token: PlaidAccessToken,
        needed: Needed,
    ) -> Result<Vec<(Grant, Connection)>, StoreError> {
        let (keyring, hash) = (self.keyring(), self.tokens.hash_access_token(&token));
        self.readers
            .read(move |conn| grants(conn, &keyring, hash, &token, needed))
            .await
    }

    pub(crate) async fn item_use(&self, connection: Connection) -> Result<ItemUse, StoreError> {
        let (keyring, hash) = (
            self.keyring(),
            self.tokens.hash_access_token(&connection.access_token),
        );
        self.readers
            .read(move |conn| item_use(conn, &keyring, hash, &connection))
            .await
    }

    pub(crate) async fn index_step(&self, limit: usize) -> Result<Step, StoreError> {
        let (keyring, tokens) = (self.keyring(), self.tokens.clone());
        self.writer
            .decide(move |conn| step(conn, &keyring, &tokens, limit))
            .await
    }
}
