//! Connections, the public tokens they came of, and the grants that open them.

use rusqlite::{Connection as Sqlite, named_params};

use super::rows::Cells;
use super::{audit, token_index};
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

pub(super) fn exchange_raw(
    conn: &Sqlite,
    public_token: PublicTokenHash,
    sealed: &SealedConnection,
    grant: &NewGrant,
    trail: &Trail,
) -> Result<RawExchangeOutcome, StoreError> {
    if let Some(record) = find_public_token(conn, public_token)? {
        return Ok(RawExchangeOutcome::Taken(record));
    }
    let owner = PublicTokenOwner::Client {
        client_id: grant.client_id.clone(),
        grant_id: grant.id,
    };
    insert(conn, sealed, Some(public_token), &owner, trail.now)?;
    insert_grant(conn, grant, sealed.id(), trail.now)?;
    audit::write(conn, &trail.exchanged(grant, sealed.id()), trail.now)?;
    Ok(RawExchangeOutcome::Exchanged)
}

pub(super) fn insert(
    conn: &Sqlite,
    sealed: &SealedConnection,
    public_token: Option<PublicTokenHash>,
    owner: &PublicTokenOwner,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (transaction_id, client) = match owner {
        PublicTokenOwner::Transaction(id) => (Some(id), None),
        PublicTokenOwner::Client { client_id, grant_id } => (None, Some((client_id, grant_id))),
    };
    conn.prepare_cached(
        "INSERT INTO connections (id, item_id, access_token, institution_id, institution_name, created_at, \
             public_token, transaction_id, client_id, grant_id) \
         VALUES (:id, :item_id, :access_token, :institution_id, :institution_name, :created_at, \
             :public_token, :transaction_id, :client_id, :grant_id)",
    )?
    .execute(named_params! {
        ":id": sealed.new.id.0.as_bytes(),
        ":item_id": sealed.new.item_id,
        ":access_token": sealed.access_token,
        ":institution_id": sealed.new.institution_id,
        ":institution_name": sealed.new.institution_name,
        ":created_at": now.as_millis(),
        ":public_token": public_token.map(|hash| hash.0),
        ":transaction_id": transaction_id.map(|id| id.0.as_bytes()),
        ":client_id": client.map(|(client_id, _)| client_id),
        ":grant_id": client.map(|(_, grant_id)| grant_id.0.as_bytes()),
    })?;
    token_index::insert(conn, sealed.access_token_hash, sealed.id())
}

pub(super) fn insert_grant(
    conn: &Sqlite,
    grant: &NewGrant,
    connection_id: ConnectionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO grants (id, nonce, client_id, connection_id, scope, created_at) \
         VALUES (:id, :nonce, :client_id, :connection_id, :scope, :created_at)",
    )?
    .execute(named_params! {
        ":id": grant.id.0.as_bytes(),
        ":nonce": grant.nonce.0,
        ":client_id": grant.client_id,
        ":connection_id": connection_id.0.as_bytes(),
        ":scope": rows::join_scope(&grant.scope),
        ":created_at": now.as_millis(),
    })?;
    Ok(())
}

pub(super) fn find(
    conn: &Sqlite,
    keyring: &Keyring,
    id: ConnectionId,
) -> Result<Option<Connection>, StoreError> {
    let sql = format!("SELECT {} FROM connections WHERE id = ?1", rows::CONNECTION);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([id.0.as_bytes()])?;
    found
        .next()?
        .map(|row| rows::connection(&mut Cells::of(row), keyring))
        .transpose()
}

pub(super) fn find_grant(
    conn: &Sqlite,
    keyring: &Keyring,
    id: GrantId,
) -> Result<Option<(Grant, Connection)>, StoreError> {
    let sql = format!(
        "SELECT {}, {} FROM grants JOIN connections ON connections.id = grants.connection_id WHERE grants.id = ?1",
        rows::GRANT,
        rows::CONNECTION
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([id.0.as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let mut columns = Cells::of(row);
    Ok(Some((
        rows::grant(&mut columns)?,
        rows::connection(&mut columns, keyring)?,
    )))
}

pub(super) fn find_public_token(
    conn: &Sqlite,
    hash: PublicTokenHash,
) -> Result<Option<PublicTokenRecord>, StoreError> {
    let sql = format!(
        "SELECT {} FROM connections WHERE public_token = ?1",
        rows::PUBLIC_TOKEN
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([hash.0])?;
    found
        .next()?
        .map(|row| rows::public_token(&mut Cells::of(row)))
        .transpose()
}
