//! The token endpoint: `POST /api/send_the_access_token_AUTH`, also `/oauth/token`.
//!
//! It is Kore.ai's token URL and refresh URL at once. What Kore.ai sends is not documented, so form and JSON, every way
//! of client authentication and a missing `grant_type` are understood; the answers are exactly the RFC's.

mod code;
mod raw;
mod refresh;
mod request;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::PRAGMA;
use serde::Serialize;

use super::endpoint::Call;
use super::error::TokenError;
use crate::app::App;
use crate::config::ClientConfig;
use crate::store::TokenKind;
use crate::store::model::{Connection, Grant};
use request::TokenGrant;

pub async fn token(State(app): State<App>, call: Call, body: Body) -> Response {
    let answer = serve(&app, &call, body).await;
    let outcome = answer.as_ref().map_or_else(|error| error.code().1, |_| "ok");
    // Until the request was read there is no grant.
    let grant = call.facts.known().grant.unwrap_or("none");
    app.metrics.flow.token_request(grant, outcome);
    call.answer(&app, answer)
}

async fn serve(app: &App, call: &Call, body: Body) -> Result<Response, TokenError> {
    let request = call.read(app, body).await?;
    let asked = request::grant(&request.params);
    let kind = asked.as_ref().ok().map(TokenGrant::kind);
    call.facts.note(|known| known.grant = kind);
    let clients = app.clients();
    let client = request.authenticate(app, &clients)?;
    let origin = call.origin();
    let granted = match asked.map_err(|error| request.explained(error))? {
        TokenGrant::Code(code) => code::redeem(app, origin, &client, &code, &request.params).await?,
        TokenGrant::PublicToken(token) => raw::exchange(app, origin, &client, token).await?,
        TokenGrant::Refresh(token) => refresh::refresh(app, origin, &client, &token).await?,
    };
    tracing::info!(oauth.client_id = %client.client.id, oauth.grant = kind, grant = %granted.grant.id,
        client.auth = client.method.as_str(), "token answered");
    if client.lenient {
        tracing::warn!(oauth.client_id = %client.client.id, "a token request came without the client secret; \
            production will refuse it: set the client secret in the OAuth profile");
    }
    Ok(success(app, client.client, &granted))
}

/// A grant with the connection that it opens.
struct Granted {
    grant: Grant,
    connection: Connection,
}

#[derive(Serialize)]
struct Success<'a> {
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

/// The successful answer (RFC 6749 5.1). The refresh token is derived, so the same grant always gets the same.
fn success(app: &App, client: &ClientConfig, granted: &Granted) -> Response {
    let Granted { grant, connection } = granted;
    let refresh_token = app
        .store
        .tokens()
        .issue(TokenKind::RefreshToken, grant.id.0, &grant.nonce);
    let body = Success {
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
