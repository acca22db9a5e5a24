//! Connections, the public tokens they came of, and the grants that open them.
//!
//! A connection's row is the gate of all that gives or takes the right to it: whoever counts its live grants, or adds one,
//! holds the row's lock first, and looks in a statement of its own afterwards, which sees what others have committed.

use super::audit;
use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{
    Connection, ConnectionId, Grant, GrantId, NewGrant, PublicTokenHash, PublicTokenOwner, PublicTokenRecord,
    RawExchangeOutcome,
};
use crate::rows;
use crate::sealed::SealedConnection;
use crate::trail::Trail;

pub(super) async fn exchange_raw(
    conn: &Conn,
    public_token: PublicTokenHash,
    sealed: &SealedConnection,
    grant: &NewGrant,
    trail: &Trail,
) -> Result<RawExchangeOutcome, Failure> {
    let owner = PublicTokenOwner::Client {
        client_id: grant.client_id.clone(),
        grant_id: grant.id,
    };
    if !insert(conn, sealed, Some(public_token), &owner, trail.now).await? {
        let record = find_public_token(conn, public_token).await?;
        return Ok(RawExchangeOutcome::Taken(record.ok_or(
            StoreError::Unavailable("a public token was forgotten in the middle of a decision"),
        )?));
    }
    insert_grant(conn, grant, sealed.id(), trail.now).await?;
    audit::write(conn, trail.exchanged(grant, sealed.id()), trail.now).await?;
    Ok(RawExchangeOutcome::Exchanged)
}

/// Gives whether it is stored: it is not when somebody else brought the public token, whom this waits for.
pub(super) async fn insert(
    conn: &Conn,
    sealed: &SealedConnection,
    public_token: Option<PublicTokenHash>,
    owner: &PublicTokenOwner,
    now: Timestamp,
) -> Result<bool, Failure> {
    let (transaction_id, client_id, grant_id) = match owner {
        PublicTokenOwner::Transaction(id) => (Some(id.0), None, None),
        PublicTokenOwner::Client { client_id, grant_id } => (None, Some(client_id), Some(grant_id.0)),
    };
    let public_token = public_token.as_ref().map(|hash| hash.0.as_slice());
    let stored = conn
        .execute(
            "WITH stored AS (INSERT INTO connections (id, item_id, access_token, institution_id, institution_name, \
                 created_at, public_token, transaction_id, client_id, grant_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 ON CONFLICT (public_token) WHERE public_token IS NOT NULL DO NOTHING RETURNING id) \
             INSERT INTO access_tokens (hash, connection_id) SELECT $11, id FROM stored",
            &[
                &sealed.new.id.0,
                &sealed.new.item_id,
                &sealed.access_token,
                &sealed.new.institution_id,
                &sealed.new.institution_name,
                &now.as_millis(),
                &public_token,
                &transaction_id,
                &client_id,
                &grant_id,
                &sealed.access_token_hash.0,
            ],
        )
        .await?;
    Ok(stored == 1)
}

pub(super) async fn insert_grant(
    conn: &Conn,
    grant: &NewGrant,
    connection_id: ConnectionId,
    now: Timestamp,
) -> Result<(), Failure> {
    conn.execute(
        "INSERT INTO grants (id, nonce, client_id, connection_id, scope, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &grant.id.0,
            &grant.nonce.0.as_slice(),
            &grant.client_id,
            &connection_id.0,
            &rows::join_scope(&grant.scope),
            &now.as_millis(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes the lock of the connection's row until the decision is committed, and reads it.
pub(super) async fn lock(
    conn: &Conn,
    keyring: &Keyring,
    id: ConnectionId,
) -> Result<Option<Connection>, Failure> {
    let sql = format!(
        "SELECT {} FROM connections WHERE id = $1 FOR NO KEY UPDATE",
        rows::CONNECTION
    );
    read(conn, &sql, keyring, id).await
}

pub(super) async fn find(
    conn: &Conn,
    keyring: &Keyring,
    id: ConnectionId,
) -> Result<Option<Connection>, Failure> {
    let sql = format!("SELECT {} FROM connections WHERE id = $1", rows::CONNECTION);
    read(conn, &sql, keyring, id).await
}

async fn read(
    conn: &Conn,
    sql: &str,
    keyring: &Keyring,
    id: ConnectionId,
) -> Result<Option<Connection>, Failure> {
    let row = conn.row(sql, &[&id.0]).await?;
    let connection = row.map(|row| rows::connection(&mut Cells::of(&row), keyring));
    Ok(connection.transpose()?)
}

pub(super) async fn find_grant(
    conn: &Conn,
    keyring: &Keyring,
    id: GrantId,
) -> Result<Option<(Grant, Connection)>, Failure> {
    let sql = format!(
        "SELECT {}, {} FROM grants JOIN connections ON connections.id = grants.connection_id WHERE grants.id = $1",
        rows::GRANT,
        rows::CONNECTION
    );
    let Some(row) = conn.row(&sql, &[&id.0]).await? else {
        return Ok(None);
    };
    let mut cells = Cells::of(&row);
    Ok(Some((
        rows::grant(&mut cells)?,
        rows::connection(&mut cells, keyring)?,
    )))
}

pub(super) async fn find_public_token(
    conn: &Conn,
    hash: PublicTokenHash,
) -> Result<Option<PublicTokenRecord>, Failure> {
    let sql = format!(
        "SELECT {} FROM connections WHERE public_token = $1",
        rows::PUBLIC_TOKEN
    );
    let row = conn.row(&sql, &[&hash.0.as_slice()]).await?;
    let record = row.map(|row| rows::public_token(&mut Cells::of(&row)));
    Ok(record.transpose()?)
}
