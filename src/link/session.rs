//! The session of the browser login flow: a cookie that opens one person's own connection, and nothing else.

use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use thiserror::Error;

use super::cookies;
use crate::app::App;
use crate::middleware::peer::Peer;
use crate::secret::OwnToken;
use crate::store::model::{Authorization, AuthorizationId, Connection, Flow, Stage};
use crate::store::{StoreError, TokenKind};

/// How long the browser may look at the connection it made.
pub const SESSION_TTL: Duration = Duration::from_secs(12 * 3600);

/// The cookie of a completed browser authorization.
pub(super) fn issue(app: &App, authorization: &Authorization) -> OwnToken {
    app.store
        .tokens()
        .issue(TokenKind::Session, authorization.id.0, &authorization.nonce)
}

/// A browser that made a connection, and the connection.
pub struct Session(pub Connection);

/// A request without a session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// No cookie, or one that opens nothing any more.
    #[error("there is no session")]
    None,
    /// Our store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromRequestParts<App> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, SessionError> {
        let https = parts.extensions.get::<Peer>().is_some_and(|peer| peer.https);
        let tokens = app.store.tokens();
        let token = cookies::session(&parts.headers, https)
            .and_then(|text| tokens.parse(TokenKind::Session, &text))
            .ok_or(SessionError::None)?;
        let authorization = app
            .store
            .authorization(AuthorizationId(token.id()))
            .await?
            .ok_or(SessionError::None)?;
        if authorization.flow != Flow::Browser || !token.belongs_to(tokens, &authorization.nonce) {
            return Err(SessionError::None);
        }
        let Stage::Completed {
            connection_id, at, ..
        } = authorization.stage
        else {
            return Err(SessionError::None);
        };
        if app.clock.now().since(at) >= SESSION_TTL {
            return Err(SessionError::None);
        }
        let connection = app
            .store
            .connection(connection_id)
            .await?
            .ok_or(SessionError::None)?;
        if connection.removed_at.is_some() {
            return Err(SessionError::None);
        }
        Ok(Self(connection))
    }
}

impl axum::response::IntoResponse for SessionError {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::None => super::PageCallError::NoSession.into_response(),
            Self::Store(error) => super::PageCallError::Store(error).into_response(),
        }
    }
}
