//! The successful answer (RFC 6749 5.1).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::PRAGMA;
use serde::Serialize;

use crate::app::App;
use crate::config::ClientConfig;
use crate::store::TokenKind;
use crate::store::model::{Connection, Grant};

/// A grant with the connection that it opens.
pub(super) struct Granted {
    pub(super) grant: Grant,
    pub(super) connection: Connection,
}

#[derive(Serialize)]
struct Body<'a> {
    /// Plaid's own, because Kore.ai puts it into its calls to Plaid.
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    refresh_token: &'a str,
    scope: String,
    item_id: &'a str,
    /// Kore.ai's word for "the pop-up can close".
    #[serde(rename = "closeWindow")]
    close_window: bool,
}

/// The answer for this grant. The refresh token is derived, so the same grant always tells the same.
pub(super) fn of(app: &App, client: &ClientConfig, granted: &Granted) -> Response {
    let Granted { grant, connection } = granted;
    let refresh_token = app
        .store
        .tokens()
        .issue(TokenKind::RefreshToken, grant.id.0, &grant.nonce);
    let body = Body {
        access_token: connection.access_token.expose(),
        token_type: "Bearer",
        expires_in: client.expires_in.or(app.config.oauth.expires_in),
        refresh_token: refresh_token.expose(),
        scope: grant.scope.join(" "),
        item_id: &connection.item_id,
        close_window: true,
    };
    let mut response = Json(body).into_response();
    response
        .headers_mut()
        .insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
