//! The index from access tokens to connections in `PostgreSQL`: see [`crate::token_index`].

use std::sync::Arc;

use uuid::Uuid;

use super::failure::Failure;
use super::pool::{Conn, Patience};
use super::rows::Cells;
use super::{PostgresStore, meta, walk};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{Connection, Grant};
use crate::rows::{self, Columns as _};
use crate::secret::PlaidAccessToken;
use crate::token_index::{ItemUse, Needed, PROGRESS, Progress, Step, decided, hashed};
use crate::tokens::{AccessTokenHash, TokenKey};

async fn grants(
    conn: &Conn,
    keyring: &Keyring,
    hash: AccessTokenHash,
    token: &PlaidAccessToken,
    needed: Needed,
) -> Result<Vec<(Grant, Connection)>, Failure> {
    // Read first: a pass that ends in between does not make an older look complete.
    let progress = meta::get(conn, PROGRESS).await?;
    let sql = format!(
        "SELECT {}, {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
         JOIN grants ON grants.connection_id = connections.id WHERE access_tokens.hash = $1 ORDER BY grants.id DESC",
        rows::GRANT,
        rows::CONNECTION
    );
    let mut found = Vec::new();
    for row in conn.query(&sql, &[&hash.0]).await? {
        let mut cells = Cells::of(&row);
        found.push((rows::grant(&mut cells)?, rows::connection(&mut cells, keyring)?));
    }
    Ok(decided(found, token, progress.as_deref(), needed)?)
}

async fn item_use(
    conn: &Conn,
    keyring: &Keyring,
    hash: AccessTokenHash,
    connection: &Connection,
) -> Result<ItemUse, Failure> {
    // Read first, as for the grants.
    let progress = Progress::read(meta::get(conn, PROGRESS).await?.as_deref())?;
    let sql = format!(
        "SELECT {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
         WHERE access_tokens.hash = $1 AND connections.id <> $2 AND connections.removed_at IS NULL",
        rows::CONNECTION
    );
    for row in conn.query(&sql, &[&hash.0, &connection.id.0]).await? {
        let other = rows::connection(&mut Cells::of(&row), keyring)?;
        if other.access_token.matches(connection.access_token.expose()) {
            return Ok(ItemUse::Elsewhere);
        }
    }
    Ok(progress.nothing_found())
}

/// The row of the progress is locked, so that of several instances one has the pass in hand.
async fn step(conn: &Conn, keyring: &Keyring, tokens: &TokenKey, limit: usize) -> Result<Step, Failure> {
    let sql = "SELECT value FROM meta WHERE name = $1 FOR NO KEY UPDATE SKIP LOCKED";
    let Some(row) = conn.row(sql, &[&PROGRESS]).await? else {
        return Ok(Step::Elsewhere);
    };
    let progress = Progress::read(Some(&Cells::of(&row).bytes()?))?;
    if progress.is_done {
        return Ok(Step::Done);
    }
    let page = walk::page(conn, progress.after, limit).await?;
    let (hashes, progress, step) = hashed(progress, &page, limit, keyring, tokens);
    let (hashes, ids): (Vec<i64>, Vec<Uuid>) = hashes.into_iter().map(|(hash, id)| (hash.0, id.0)).unzip();
    conn.execute(
        "INSERT INTO access_tokens (hash, connection_id) SELECT * FROM unnest($1::bigint[], $2::uuid[]) \
         ON CONFLICT DO NOTHING",
        &[&hashes, &ids],
    )
    .await?;
    meta::set(conn, PROGRESS, &progress.bytes()).await?;
    Ok(step)
}

impl PostgresStore {
    pub(crate) async fn grants_by_access_token(
        &self,
        token: PlaidAccessToken,
        needed: Needed,
    ) -> Result<Vec<(Grant, Connection)>, StoreError> {
        let hash = self.tokens.hash_access_token(&token);
        let input = (Arc::clone(&self.keyring), hash, token, needed);
        self.pool
            .read(input, |conn, (keyring, hash, token, needed)| {
                Box::pin(grants(conn, keyring, *hash, token, *needed))
            })
            .await
    }

    pub(crate) async fn item_use(&self, connection: Connection) -> Result<ItemUse, StoreError> {
        let hash = self.tokens.hash_access_token(&connection.access_token);
        let input = (Arc::clone(&self.keyring), hash, connection);
        self.pool
            .read(input, |conn, (keyring, hash, connection)| {
                Box::pin(item_use(conn, keyring, *hash, connection))
            })
            .await
    }

    pub(crate) async fn index_step(&self, limit: usize) -> Result<Step, StoreError> {
        let input = (Arc::clone(&self.keyring), self.tokens.clone(), limit);
        self.pool
            .decide_with(Patience::Long, input, |conn, (keyring, tokens, limit)| {
                Box::pin(step(conn, keyring, tokens, *limit))
            })
            .await
    }
}
