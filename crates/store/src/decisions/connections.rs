//! Connections, the public tokens they came of, and the grants that open them.
//!
//! A connection's row guards all that gives or takes the right to it: a decision that counts its live grants, or adds one, holds the
//! row's lock first, and looks in a statement of its own afterwards, which sees what others have committed.

use uuid::Uuid;

use super::audit;
use crate::Store;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{
    Connection, ConnectionId, Grant, GrantId, NewGrant, PublicTokenHash, PublicTokenOwner, PublicTokenRecord,
    RawExchange, RawExchangeOutcome,
};
use crate::rows;
use crate::sealed::SealedConnection;
use crate::tokens::AccessTokenHash;
use crate::tx::{Context, Decision, Failure, Run, Statement, Tx, values};

impl Store {
    /// A client brought a raw public token: stores connection, public token and grant in one commit.
    pub async fn exchange_raw(
        &self,
        exchange: RawExchange,
        now: Timestamp,
    ) -> Result<RawExchangeOutcome, StoreError> {
        let exchange = ExchangeRaw {
            connection: self.sealed(exchange.connection)?,
            public_token: exchange.public_token,
            grant: exchange.grant,
        };
        self.decide(exchange, now).await
    }

    /// What became of a public token.
    pub async fn public_token(&self, hash: PublicTokenHash) -> Result<Option<PublicTokenRecord>, StoreError> {
        self.run(FindPublicToken(hash)).await
    }

    /// Also when it is removed.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.run(Find(id)).await
    }

    /// Also when it is revoked; with its connection.
    pub async fn grant(&self, id: GrantId) -> Result<Option<(Grant, Connection)>, StoreError> {
        self.run(FindGrant(id)).await
    }
}

/// Returns whether it is stored: it is not when the public token has another owner, whose commit this waits for.
pub(super) async fn insert<T: Tx>(
    tx: &mut T,
    sealed: &SealedConnection,
    public_token: PublicTokenHash,
    owner: &PublicTokenOwner,
    now: Timestamp,
) -> Result<bool, Failure> {
    let (authorization_id, client_id, grant_id) = match owner {
        PublicTokenOwner::Authorization(id) => (Some(*id), None, None),
        PublicTokenOwner::Client { client_id, grant_id } => (None, Some(client_id), Some(*grant_id)),
    };
    let stored = tx
        .execute(
            "INSERT INTO connections (id, item_id, access_token, institution_id, institution_name, created_at, \
                 public_token, authorization_id, client_id, grant_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (public_token) WHERE public_token IS NOT NULL DO NOTHING",
            &values![
                sealed.id(),
                &sealed.new.item_id,
                &sealed.access_token,
                sealed.new.institution_id.as_deref(),
                sealed.new.institution_name.as_deref(),
                now,
                &public_token.0,
                authorization_id,
                client_id,
                grant_id,
            ],
        )
        .await?;
    Ok(stored == 1)
}

/// What makes a stored connection found by its access token. The pass over older connections also meets newer ones, which
/// are there already.
pub(super) fn index(hash: AccessTokenHash, id: ConnectionId) -> Statement<'static> {
    let sql = "INSERT INTO access_tokens (hash, connection_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Statement::new(sql, values![hash.0, id])
}

pub(super) fn insert_grant(grant: &NewGrant, connection_id: ConnectionId, now: Timestamp) -> Statement<'_> {
    Statement::new(
        "INSERT INTO grants (id, nonce, client_id, connection_id, scope, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        values![
            grant.id,
            &grant.nonce.0,
            &grant.client_id,
            connection_id,
            rows::join_scope(&grant.scope),
            now,
        ],
    )
}

/// Takes the lock of the connection's row until the decision is committed, and reads it.
pub(super) async fn lock<T: Tx>(
    tx: &mut T,
    keyring: &Keyring,
    id: ConnectionId,
) -> Result<Option<Connection>, Failure> {
    let sql = format!(
        "SELECT {} FROM connections WHERE id = ?1 /*pg FOR NO KEY UPDATE*/",
        rows::CONNECTION
    );
    tx.row(&sql, &values![id], |row| rows::connection(row, keyring))
        .await
}

/// Takes the locks of these connections until the decision is committed, all in one order.
pub(super) async fn lock_all<T: Tx>(tx: &mut T, ids: &Vec<Uuid>) -> Result<(), Failure> {
    let sql = "SELECT id FROM connections WHERE id IN rarray(?1) ORDER BY id /*pg FOR NO KEY UPDATE*/";
    tx.rows(sql, &values![ids], |_| Ok(())).await?;
    Ok(())
}

async fn find_public_token<T: Tx>(
    tx: &mut T,
    hash: PublicTokenHash,
) -> Result<Option<PublicTokenRecord>, Failure> {
    let sql = format!(
        "SELECT {} FROM connections WHERE public_token = ?1",
        rows::PUBLIC_TOKEN
    );
    tx.row(&sql, &values![&hash.0], rows::public_token).await
}

struct FindPublicToken(PublicTokenHash);

impl Decision for FindPublicToken {
    type Outcome = Option<PublicTokenRecord>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        find_public_token(tx, self.0).await
    }
}

struct Find(ConnectionId);

impl Decision for Find {
    type Outcome = Option<Connection>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Self::Outcome, Failure> {
        let sql = format!("SELECT {} FROM connections WHERE id = ?1", rows::CONNECTION);
        tx.row(&sql, &values![self.0], |row| {
            rows::connection(row, &context.keyring)
        })
        .await
    }
}

struct FindGrant(GrantId);

impl Decision for FindGrant {
    type Outcome = Option<(Grant, Connection)>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Self::Outcome, Failure> {
        let sql = format!(
            "SELECT {}, {} FROM grants JOIN connections ON connections.id = grants.connection_id WHERE grants.id = ?1",
            rows::GRANT,
            rows::CONNECTION
        );
        tx.row(&sql, &values![self.0], |row| {
            Ok((rows::grant(row)?, rows::connection(row, &context.keyring)?))
        })
        .await
    }
}

struct ExchangeRaw {
    public_token: PublicTokenHash,
    connection: SealedConnection,
    grant: NewGrant,
}

impl Decision for ExchangeRaw {
    type Outcome = RawExchangeOutcome;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<RawExchangeOutcome, Failure> {
        let owner = PublicTokenOwner::Client {
            client_id: self.grant.client_id.clone(),
            grant_id: self.grant.id,
        };
        if !insert(tx, &self.connection, self.public_token, &owner, context.now()).await? {
            let record = find_public_token(tx, self.public_token).await?;
            return Ok(RawExchangeOutcome::Taken(record.ok_or(
                StoreError::Unavailable("a public token was forgotten in the middle of a decision"),
            )?));
        }
        let row = context.audit.exchanged(&self.grant, self.connection.id());
        tx.execute_all(&[
            index(self.connection.access_token_hash, self.connection.id()),
            insert_grant(&self.grant, self.connection.id(), context.now()),
            audit::insert(&row, context.now()),
        ])
        .await?;
        Ok(RawExchangeOutcome::Exchanged)
    }
}
