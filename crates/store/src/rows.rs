//! Between rows and the store's vocabulary, for every engine. What cannot have been written is reported as damage, never
//! guessed.

pub(super) mod audit;
pub(super) mod listing;

use uuid::Uuid;

use super::error::StoreError;
use super::keyring::Keyring;
use super::model::{
    Authorization, AuthorizationId, Connection, ConnectionId, Flow, Grant, GrantId, Nonce, OAuthRequest,
    PublicTokenHash, PublicTokenOwner, PublicTokenRecord, Removal, RemovalReason, Rotated, Stage,
};
use super::seal::Place;
use crate::clock::Timestamp;
use crate::secret::PlaidAccessToken;

const STRANGE: StoreError = StoreError::Corrupt("a column holds what was never written to it");

/// `authorizations.stage`.
pub(super) mod stage {
    use crate::error::StoreError;

    pub(crate) const OPEN: i64 = 0;
    pub(crate) const COMPLETED: i64 = 1;
    pub(crate) const REDEEMED: i64 = 2;
    pub(crate) const ABANDONED: i64 = 3;
    pub(crate) const CANCELLED: i64 = 4;

    /// Its word in metrics.
    pub(crate) fn name(code: i64) -> Result<&'static str, StoreError> {
        match code {
            OPEN => Ok("open"),
            COMPLETED => Ok("completed"),
            REDEEMED => Ok("redeemed"),
            ABANDONED => Ok("abandoned"),
            CANCELLED => Ok("cancelled"),
            _ => Err(StoreError::Corrupt("an authorization is in no known stage")),
        }
    }
}

/// Reads the columns of a row one after the other, from the first one on.
pub(super) trait Columns {
    fn id(&mut self) -> Result<Uuid, StoreError>;
    fn optional_id(&mut self) -> Result<Option<Uuid>, StoreError>;
    fn text(&mut self) -> Result<String, StoreError>;
    fn optional_text(&mut self) -> Result<Option<String>, StoreError>;
    fn bytes(&mut self) -> Result<Vec<u8>, StoreError>;
    fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
    fn number(&mut self) -> Result<i64, StoreError>;
    fn optional_number(&mut self) -> Result<Option<i64>, StoreError>;
    fn flag(&mut self) -> Result<bool, StoreError>;

    /// 32 bytes.
    fn word(&mut self) -> Result<[u8; 32], StoreError> {
        self.bytes()?.try_into().map_err(|_| STRANGE)
    }

    fn optional_word(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        let bytes = self.optional_bytes()?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| STRANGE))
            .transpose()
    }

    fn moment(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.number()?))
    }

    fn count(&mut self) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.number()?).unwrap_or(0))
    }

    fn optional_moment(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_number()?.map(Timestamp::from_millis))
    }
}

/// The columns that [`connection`] reads.
pub(super) const CONNECTION: &str = "connections.id, connections.item_id, connections.access_token, \
     connections.institution_id, connections.institution_name, connections.created_at, connections.removed_at";

/// The columns that [`grant`] reads.
pub(super) const GRANT: &str = "grants.id, grants.nonce, grants.client_id, grants.connection_id, grants.scope, \
     grants.created_at, grants.revoked_at, grants.previous_nonce, grants.rotated_at";

/// The columns that [`authorization`] reads.
pub(super) const AUTHORIZATION: &str = "id, nonce, client_id, redirect_uri, state, code_challenge, scope, \
     client_user_id, created_at, expires_at, stage, connection_id, public_token, stage_at, code_expires_at, grant_id";

/// The columns that [`public_token`] reads.
pub(super) const PUBLIC_TOKEN: &str = "id, created_at, authorization_id, client_id, grant_id";

/// A connection, its access token opened. Columns: [`CONNECTION`].
pub(super) fn connection(columns: &mut dyn Columns, keyring: &Keyring) -> Result<Connection, StoreError> {
    let id = ConnectionId(columns.id()?);
    let item_id = columns.text()?;
    let sealed = columns.bytes()?;
    let plain = keyring.open(&access_token_place(id), &sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| StoreError::Corrupt("an access token is not text"))?;
    Ok(Connection {
        id,
        item_id,
        access_token: PlaidAccessToken::new(text),
        institution_id: columns.optional_text()?,
        institution_name: columns.optional_text()?,
        created_at: columns.moment()?,
        removed_at: columns.optional_moment()?,
    })
}

/// The place of a connection's access token.
pub(super) fn access_token_place(id: ConnectionId) -> Place {
    Place::new("connections/access_token", id)
}

/// A grant. Columns: [`GRANT`].
pub(super) fn grant(columns: &mut dyn Columns) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: GrantId(columns.id()?),
        nonce: Nonce(columns.word()?),
        client_id: columns.text()?,
        connection_id: ConnectionId(columns.id()?),
        scope: split_scope(&columns.text()?),
        created_at: columns.moment()?,
        revoked_at: columns.optional_moment()?,
        rotated: rotated(columns)?,
    })
}

fn rotated(columns: &mut dyn Columns) -> Result<Option<Rotated>, StoreError> {
    let previous = columns.optional_word()?.map(Nonce);
    let at = columns.optional_moment()?;
    Ok(previous.zip(at).map(|(previous, at)| Rotated { previous, at }))
}

/// What became of a public token. Columns: [`PUBLIC_TOKEN`].
pub(super) fn public_token(columns: &mut dyn Columns) -> Result<PublicTokenRecord, StoreError> {
    let connection_id = ConnectionId(columns.id()?);
    let exchanged_at = columns.moment()?;
    let owner = match (
        columns.optional_id()?,
        columns.optional_text()?,
        columns.optional_id()?,
    ) {
        (Some(id), None, None) => PublicTokenOwner::Authorization(AuthorizationId(id)),
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

/// An authorization. Columns: [`AUTHORIZATION`].
pub(super) fn authorization(columns: &mut dyn Columns) -> Result<Authorization, StoreError> {
    Ok(Authorization {
        id: AuthorizationId(columns.id()?),
        nonce: Nonce(columns.word()?),
        flow: flow(columns)?,
        scope: columns.optional_text()?.as_deref().map(split_scope),
        client_user_id: columns.text()?,
        created_at: columns.moment()?,
        expires_at: columns.moment()?,
        stage: read_stage(columns)?,
    })
}

fn flow(columns: &mut dyn Columns) -> Result<Flow, StoreError> {
    let client_id = columns.optional_text()?;
    let redirect_uri = columns.optional_text()?;
    let state = columns.optional_text()?;
    let code_challenge = columns.optional_text()?;
    match (client_id, redirect_uri) {
        (Some(client_id), Some(redirect_uri)) => Ok(Flow::OAuth(OAuthRequest {
            client_id,
            redirect_uri,
            state,
            code_challenge,
        })),
        (None, None) => Ok(Flow::Browser),
        _ => Err(StoreError::Corrupt("half an OAuth request")),
    }
}

fn read_stage(columns: &mut dyn Columns) -> Result<Stage, StoreError> {
    let stage = columns.number()?;
    let connection_id = columns.optional_id()?.map(ConnectionId);
    let public_token = columns.optional_word()?.map(PublicTokenHash);
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
        _ => Err(StoreError::Corrupt("an authorization is in no known stage")),
    }
}

/// A queued removal, when it can be read. Columns: `reason`, `attempts`, [`CONNECTION`].
pub(super) fn removal(columns: &mut dyn Columns, keyring: &Keyring) -> Result<Option<Removal>, StoreError> {
    let mut read = || {
        Ok(Removal {
            reason: reason(columns.number()?)?,
            attempts: u32::try_from(columns.number()?).map_err(|_| STRANGE)?,
            connection: connection(columns, keyring)?,
        })
    };
    match read() {
        Ok(removal) => Ok(Some(removal)),
        // One that cannot be read must not delay all others; it stays in the queue.
        Err(error @ (StoreError::Sealed(_) | StoreError::Corrupt(_))) => {
            tracing::error!(%error, "a connection to be removed cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
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

fn reason(code: i64) -> Result<RemovalReason, StoreError> {
    match code {
        0 => Ok(RemovalReason::Unredeemed),
        1 => Ok(RemovalReason::Revoked),
        _ => Err(StoreError::Corrupt("a removal has no known reason")),
    }
}
