//! The session of the browser login flow: a cookie that opens one person's own connection, and nothing else.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use serde_json::{Value, json};

use super::{PageCallError, cookies};
use crate::app::App;
use crate::http::client_ip::Peer;
use crate::oauth::scope;
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

/// The connection that this browser made, if its session is good.
pub struct Session(pub Option<Connection>);

impl FromRequestParts<App> for Session {
    type Rejection = PageCallError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageCallError> {
        let https = parts.extensions.get::<Peer>().is_some_and(|peer| peer.https);
        let cookie = cookies::session(&parts.headers, https);
        Ok(Self(find(app, cookie.as_deref()).await?))
    }
}

async fn find(app: &App, cookie: Option<&str>) -> Result<Option<Connection>, StoreError> {
    let tokens = app.store.tokens();
    let Some(token) = cookie.and_then(|text| tokens.parse(TokenKind::Session, text)) else {
        return Ok(None);
    };
    let authorization = app.store.authorization(AuthorizationId(token.id())).await?;
    let own = authorization.filter(|it| it.flow == Flow::Browser && token.belongs_to(tokens, &it.nonce));
    let Some(Stage::Completed {
        connection_id, at, ..
    }) = own.map(|authorization| authorization.stage)
    else {
        return Ok(None);
    };
    if app.clock.now().since(at) >= SESSION_TTL {
        return Ok(None);
    }
    let connection = app.store.connection(connection_id).await?;
    Ok(connection.filter(|connection| connection.removed_at.is_none()))
}

/// `POST /api/info`: what the Quickstart's front end asks at its start, without the token that it used to give away.
pub async fn info(State(app): State<App>, Session(connection): Session) -> Json<Value> {
    Json(json!({
        "products": scope::names(&app.config.link.products),
        "environment": app.config.plaid.environment.name(),
        "item_id": connection.map(|connection| connection.item_id),
    }))
}
