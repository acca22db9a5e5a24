//! `POST /api/set_access_token`: Link succeeded; the public token is exchanged while the person is still here.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use serde::Deserialize;
use serde_json::json;

use super::api_error::PageCallError;
use super::authorization::{self, Tab};
use super::session::SESSION_TTL;
use super::{cookies, session};
use crate::app::App;
use crate::http::body;
use crate::plaid::connections::LinkResult;
use crate::secret::PlaidPublicToken;
use crate::store::TokenKind;
use crate::store::model::{Authorization, ConnectionId, Flow, OAuthRequest, Stage};

/// What the page sends: Link's `onSuccess` (<https://plaid.com/docs/link/web/#onsuccess>).
#[derive(Deserialize)]
struct Success {
    /// `null` when the products give no Item.
    public_token: Option<PlaidPublicToken>,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    institution: Option<InstitutionNamed>,
    link_session_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct InstitutionNamed {
    name: Option<String>,
    institution_id: Option<String>,
}

/// Completes the authorization. Repeating it gives the same answer.
pub async fn set_access_token(
    State(app): State<App>,
    tab: Tab,
    body: Body,
) -> Result<Response, PageCallError> {
    // Without a link token of ours there is nothing to complete, so the authorization is stored.
    let authorization = tab.authorization(&app, None).await?;
    tab.note_client(&authorization);
    let bytes = body::read(body).await?;
    // The body is not quoted in the error: it holds the public token.
    let success: Success = body::json_object(&bytes).ok_or(PageCallError::BadRequest("no result of Link"))?;
    let public_token = success.public_token.ok_or(PageCallError::NoToken)?;
    // What is not even shaped like one is not worth a call to Plaid.
    if !public_token.expose().starts_with("public-") {
        return Err(PageCallError::NotAToken);
    }
    authorization::check_callback(&app, &authorization.flow)?;
    let metadata = success.metadata.unwrap_or_default();
    let link_session_id = metadata
        .link_session_id
        .as_deref()
        .and_then(loggable)
        .map(str::to_owned);
    tracing::info!(transaction = %authorization.id, link_session_id, "Link succeeded");
    let institution = metadata.institution.unwrap_or_default();
    let link = LinkResult {
        institution_id: institution.institution_id.map(|id| shortened(&id)),
        institution_name: institution.name.map(|name| shortened(&name)),
        link_session_id,
    };
    let code_ttl = app.config.oauth.code_ttl;
    let connection_id = app
        .connections
        .complete(authorization.id, public_token, link, code_ttl, tab.origin())
        .await?;
    match &authorization.flow {
        Flow::OAuth(request) => {
            let redirect_to = redirect(&app, &authorization, request)?;
            Ok(Json(json!({ "redirect_to": redirect_to })).into_response())
        }
        Flow::Browser => landed(&app, &authorization, connection_id, tab.peer.https).await,
    }
}

/// Back to the client with the authorization's code: derived, so a repeat is answered with the same.
fn redirect(
    app: &App,
    authorization: &Authorization,
    request: &OAuthRequest,
) -> Result<String, PageCallError> {
    let code = app
        .store
        .tokens()
        .issue(TokenKind::Code, authorization.id.0, &authorization.nonce);
    // The callback may have been removed while Plaid answered: then nobody gets the code, and it runs out.
    let redirect_to = authorization::redirect(app, request, |target, issuer| {
        target.with_code(code.expose(), issuer)
    })?;
    // The answer of a repeat holds the same code.
    if authorization.stage == Stage::Open {
        app.metrics.flow.code("issued");
    }
    Ok(redirect_to)
}

/// The browser login flow ends on the page that shows the connection.
async fn landed(
    app: &App,
    authorization: &Authorization,
    connection_id: ConnectionId,
    https: bool,
) -> Result<Response, PageCallError> {
    let connection = app
        .store
        .connection(connection_id)
        .await?
        .ok_or(PageCallError::Over)?;
    let cookie = cookies::set_session(&session::issue(app, authorization), SESSION_TTL, https);
    let answer = Json(json!({ "item_id": connection.item_id, "next": "explorer" }));
    Ok(([(SET_COOKIE, cookie)], answer).into_response())
}

/// Names are for people; nobody's is longer.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Plaid's ids are UUIDs and the like; anything else that a browser sends stays out of the log.
pub(super) fn loggable(text: &str) -> Option<&str> {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (!text.is_empty() && text.len() <= 64 && text.bytes().all(safe)).then_some(text)
}
