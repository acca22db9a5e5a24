//! Between rows and the store's vocabulary. What cannot have been written is told as damage, never guessed.

use rusqlite::Row;
use rusqlite::types::FromSql;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::secret::PlaidAccessToken;
use crate::store::error::StoreError;
use crate::store::keyring::Keyring;
use crate::store::model::{
    Connection, ConnectionId, Flow, Grant, GrantId, Nonce, OAuthRequest, PublicTokenHash, PublicTokenOwner,
    PublicTokenRecord, RemovalReason, Rotated, Stage, Transaction, TransactionId,
};
use crate::store::seal::Place;

/// `transactions.stage`.
pub(super) mod stage {
    pub(in crate::store::sqlite) const OPEN: i64 = 0;
    pub(in crate::store::sqlite) const COMPLETED: i64 = 1;
    pub(in crate::store::sqlite) const REDEEMED: i64 = 2;
    pub(in crate::store::sqlite) const ABANDONED: i64 = 3;
    pub(in crate::store::sqlite) const CANCELLED: i64 = 4;

    /// Its word in metrics.
    pub(in crate::store::sqlite) fn name(code: i64) -> Result<&'static str, crate::store::StoreError> {
        match code {
            OPEN => Ok("open"),
            COMPLETED => Ok("completed"),
            REDEEMED => Ok("redeemed"),
            ABANDONED => Ok("abandoned"),
            CANCELLED => Ok("cancelled"),
            _ => Err(crate::store::StoreError::Corrupt(
                "a transaction is in no known stage",
            )),
        }
    }
}

/// The columns that [`connection`] reads.
pub(super) const CONNECTION: &str = "connections.id, connections.item_id, connections.access_token, \
     connections.institution_id, connections.institution_name, connections.created_at, connections.removed_at";

/// The columns that [`grant`] reads.
pub(super) const GRANT: &str = "grants.id, grants.nonce, grants.client_id, grants.connection_id, grants.scope, \
     grants.created_at, grants.revoked_at, grants.previous_nonce, grants.rotated_at";

/// Reads the columns one after the other.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    at: usize,
}

impl<'r> Columns<'r> {
    /// From the first column on.
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, at: 0 }
    }

    /// The next column.
    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// See [`next`](Self::next).
    pub(super) fn id(&mut self) -> Result<Uuid, StoreError> {
        Ok(Uuid::from_bytes(self.next()?))
    }

    /// See [`next`](Self::next).
    pub(super) fn optional_id(&mut self) -> Result<Option<Uuid>, StoreError> {
        Ok(self.next::<Option<[u8; 16]>>()?.map(Uuid::from_bytes))
    }

    /// See [`next`](Self::next).
    pub(super) fn moment(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.next()?))
    }

    /// See [`next`](Self::next).
    pub(super) fn optional_moment(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp::from_millis))
    }
}

/// A connection, its access token opened. Columns: [`CONNECTION`].
pub(super) fn connection(columns: &mut Columns<'_>, keyring: &Keyring) -> Result<Connection, StoreError> {
    let id = ConnectionId(columns.id()?);
    let item_id = columns.next()?;
    let sealed: Vec<u8> = columns.next()?;
    let plain = keyring.open(&access_token_place(id), &sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| StoreError::Corrupt("an access token is not text"))?;
    Ok(Connection {
        id,
        item_id,
        access_token: PlaidAccessToken::new(text),
        institution_id: columns.next()?,
        institution_name: columns.next()?,
        created_at: columns.moment()?,
        removed_at: columns.optional_moment()?,
    })
}

/// Where a connection's access token stands.
pub(super) fn access_token_place(id: ConnectionId) -> Place {
    Place::new("connections/access_token", id)
}

/// A grant. Columns: [`GRANT`].
pub(super) fn grant(columns: &mut Columns<'_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: GrantId(columns.id()?),
        nonce: Nonce(columns.next()?),
        client_id: columns.next()?,
        connection_id: ConnectionId(columns.id()?),
        scope: split_scope(&columns.next::<String>()?),
        created_at: columns.moment()?,
        revoked_at: columns.optional_moment()?,
        rotated: rotated(columns)?,
    })
}

fn rotated(columns: &mut Columns<'_>) -> Result<Option<Rotated>, StoreError> {
    let previous = columns.next::<Option<[u8; 32]>>()?.map(Nonce);
    let at = columns.optional_moment()?;
    Ok(previous.zip(at).map(|(previous, at)| Rotated { previous, at }))
}

/// What became of a public token. Columns: connection id, `created_at`, `transaction_id`, `client_id`, `grant_id`.
pub(super) fn public_token(row: &Row<'_>) -> Result<PublicTokenRecord, StoreError> {
    let mut columns = Columns::of(row);
    let connection_id = ConnectionId(columns.id()?);
    let exchanged_at = columns.moment()?;
    let owner = match (columns.optional_id()?, columns.next()?, columns.optional_id()?) {
        (Some(id), None, None) => PublicTokenOwner::Transaction(TransactionId(id)),
        (None, Some(client_id), Some(id)) => PublicTokenOwner::Client {
            client_id,
            grant_id: GrantId(id),
        },
        _ => return Err(StoreError::Corrupt("a public token has no owner")),
    };
    Ok(PublicTokenRecord {
        owner,
        connection_id,
        exchanged_at,
    })
}

/// The columns that [`transaction`] reads.
pub(super) const TRANSACTION: &str = "id, nonce, client_id, redirect_uri, redirect_uri_sent, state, code_challenge, scope, \
     client_user_id, created_at, expires_at, stage, connection_id, public_token, stage_at, code_expires_at, grant_id";

/// A transaction. Columns: [`TRANSACTION`].
pub(super) fn transaction(row: &Row<'_>) -> Result<Transaction, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Transaction {
        id: TransactionId(columns.id()?),
        nonce: Nonce(columns.next()?),
        flow: flow(&mut columns)?,
        scope: columns.next::<Option<String>>()?.as_deref().map(split_scope),
        client_user_id: columns.next()?,
        created_at: columns.moment()?,
        expires_at: columns.moment()?,
        stage: read_stage(&mut columns)?,
    })
}

fn flow(columns: &mut Columns<'_>) -> Result<Flow, StoreError> {
    let client_id: Option<String> = columns.next()?;
    let redirect_uri: Option<String> = columns.next()?;
    let redirect_uri_sent = columns.next()?;
    let state = columns.next()?;
    let code_challenge = columns.next()?;
    match (client_id, redirect_uri) {
        (Some(client_id), Some(redirect_uri)) => Ok(Flow::OAuth(OAuthRequest {
            client_id,
            redirect_uri,
            redirect_uri_sent,
            state,
            code_challenge,
        })),
        (None, None) => Ok(Flow::Browser),
        _ => Err(StoreError::Corrupt("half an OAuth request")),
    }
}

fn read_stage(columns: &mut Columns<'_>) -> Result<Stage, StoreError> {
    let stage: i64 = columns.next()?;
    let connection_id = columns.optional_id()?.map(ConnectionId);
    let public_token = columns.next::<Option<[u8; 32]>>()?.map(PublicTokenHash);
    let at = columns.optional_moment()?;
    let code_expires_at = columns.optional_moment()?;
    let grant_id = columns.optional_id()?.map(GrantId);
    match (
        stage,
        connection_id.zip(public_token).zip(at),
        code_expires_at,
        grant_id,
    ) {
        (stage::OPEN, ..) => Ok(Stage::Open),
        (stage::COMPLETED, Some(((connection_id, public_token), at)), Some(code_expires_at), None) => {
            Ok(Stage::Completed {
                connection_id,
                public_token,
                at,
                code_expires_at,
            })
        }
        (stage::REDEEMED, Some(((connection_id, public_token), at)), _, Some(grant_id)) => {
            Ok(Stage::Redeemed {
                connection_id,
                public_token,
                grant_id,
                at,
            })
        }
        (stage::ABANDONED, ..) => Ok(Stage::Abandoned),
        (stage::CANCELLED, ..) => Ok(Stage::Cancelled),
        _ => Err(StoreError::Corrupt("a transaction is in no known stage")),
    }
}

/// Scope tokens hold no space (RFC 6749 3.3), so a space separates them.
pub(super) fn join_scope(scope: &[String]) -> String {
    scope.join(" ")
}

/// The reverse of [`join_scope`].
pub(super) fn split_scope(text: &str) -> Vec<String> {
    text.split(' ')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `removals.reason`.
pub(super) const fn reason_code(reason: RemovalReason) -> i64 {
    match reason {
        RemovalReason::Unredeemed => 0,
        RemovalReason::Revoked => 1,
    }
}

/// The reverse of [`reason_code`].
pub(super) fn reason(code: i64) -> Result<RemovalReason, StoreError> {
    match code {
        0 => Ok(RemovalReason::Unredeemed),
        1 => Ok(RemovalReason::Revoked),
        _ => Err(StoreError::Corrupt("a removal has no known reason")),
    }
}
