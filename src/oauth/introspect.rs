//! Introspection (RFC 7662): what a client's refresh or access token is worth, with the health of its connection at Plaid.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

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

/// An active token (RFC 7662 2.2).
#[derive(Serialize)]
struct Introspection {
    active: bool,
    client_id: String,
    scope: String,
    /// Of access tokens alone: a refresh token has no type of RFC 6749 5.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    item_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_name: Option<String>,
    health: &'static str,
}

/// For clients that proved themselves, about their own tokens.
pub async fn introspect(State(app): State<App>, call: Call, body: Body) -> Response {
    let answer = serve(&app, &call, body).await;
    let answer = answer.map(|active| match active {
        Some(active) => Json(active).into_response(),
        // Of inactive tokens nothing more is said (RFC 7662 2.2).
        None => Json(json!({ "active": false })).into_response(),
    });
    call.answer(&app, answer)
}

async fn serve(app: &App, call: &Call, body: Body) -> Result<Option<Introspection>, TokenError> {
    let request = call.read(app, body).await?;
    let clients = app.clients();
    let client = request.authenticate(app, &clients)?;
    if !client.proven {
        return Err(request.secret_missing());
    }
    let token = request.token()?;
    let Some((grant, connection)) = find(app, &client, token).await? else {
        return Ok(None);
    };
    let token_type = is_access_token(token).then_some("Bearer");
    let active = describe(app, &client, grant, connection, token_type).await;
    call.facts.note(|known| known.found = active.is_some());
    Ok(active)
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
) -> Option<Introspection> {
    let health = match app.connections.health(&connection).await {
        Health::Healthy => "healthy",
        Health::Unknown => "unknown",
        Health::Dead(error) if error.verdict() == Verdict::LoginRequired => "login_required",
        Health::Dead(_) => return None,
    };
    let lifetime = client.client.refresh_lifetime;
    Some(Introspection {
        active: true,
        client_id: grant.client_id,
        scope: grant.scope.join(" "),
        token_type,
        iat: grant.created_at.as_secs(),
        exp: lifetime.map(|lifetime| grant.created_at.plus(lifetime).as_secs()),
        item_id: connection.item_id,
        institution_id: connection.institution_id,
        institution_name: connection.institution_name,
        health,
    })
}
