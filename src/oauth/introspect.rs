//! Introspection (RFC 7662): what a client's refresh or access token is worth, with the health of its connection at Plaid.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::client_auth::Authenticated;
use super::endpoint::Call;
use super::error::TokenError;
use super::rotation;
use crate::app::App;
use crate::plaid::Verdict;
use crate::plaid::connections::Health;
use crate::secret::PlaidAccessToken;
use crate::store::TokenKind;
use crate::store::model::{Connection, Grant, GrantId};

/// Of inactive tokens nothing more is said (RFC 7662 2.2).
#[derive(Default, Serialize)]
struct Body7662 {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Of access tokens alone: a refresh token has no type of RFC 6749 5.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
}

/// For clients that proved themselves, about their own tokens.
pub async fn introspect(State(app): State<App>, call: Call, body: Body) -> Response {
    let answer = serve(&app, &call, body).await;
    call.answer(&app, answer.map(|body| Json(body).into_response()))
}

async fn serve(app: &App, call: &Call, body: Body) -> Result<Body7662, TokenError> {
    let request = call.read(app, body).await?;
    let clients = app.clients();
    let client = request.authenticate(app, &clients)?;
    if !client.proven {
        return Err(request.secret_missing());
    }
    let token = request.token()?;
    let Some((grant, connection)) = find(app, &client, token).await? else {
        return Ok(Body7662::default());
    };
    let token_type = is_access_token(token).then_some("Bearer");
    let body = describe(app, &client, grant, connection, token_type).await;
    call.facts.note(|known| known.found = body.active);
    Ok(body)
}

fn is_access_token(token: &str) -> bool {
    token.starts_with(PlaidAccessToken::PREFIX)
}

async fn find(
    app: &App,
    client: &Authenticated<'_>,
    token: &str,
) -> Result<Option<(Grant, Connection)>, TokenError> {
    let found = if is_access_token(token) {
        app.store
            .grants_by_access_token(PlaidAccessToken::new(token))
            .await?
    } else {
        let tokens = app.store.tokens();
        let Some(presented) = tokens.parse(TokenKind::RefreshToken, token) else {
            return Ok(None);
        };
        let found = app.store.grant(GrantId(presented.id())).await?;
        let found = found.filter(|(grant, _)| presented.belongs_to(tokens, &grant.nonce));
        found.into_iter().collect()
    };
    Ok(found.into_iter().find(|(grant, connection)| {
        grant.client_id == client.client.id
            && grant.revoked_at.is_none()
            && connection.removed_at.is_none()
            && !rotation::is_expired(grant.created_at, client.client.refresh_lifetime, app.clock.now())
    }))
}

async fn describe(
    app: &App,
    client: &Authenticated<'_>,
    grant: Grant,
    connection: Connection,
    token_type: Option<&'static str>,
) -> Body7662 {
    let health = match app.connections.health(&connection).await {
        Health::Healthy => "healthy",
        Health::Unknown => "unknown",
        Health::Dead(error) if error.verdict() == Verdict::LoginRequired => "login_required",
        Health::Dead(_) => return Body7662::default(),
    };
    let lifetime = client.client.refresh_lifetime;
    Body7662 {
        active: true,
        client_id: Some(grant.client_id),
        scope: Some(grant.scope.join(" ")),
        token_type,
        iat: Some(grant.created_at.as_secs()),
        exp: lifetime.map(|lifetime| grant.created_at.plus(lifetime).as_secs()),
        item_id: Some(connection.item_id),
        institution_id: connection.institution_id,
        institution_name: connection.institution_name,
        health: Some(health),
    }
}
