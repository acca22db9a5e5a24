//! Revocation (RFC 7009): ends the grant, and the connection at Plaid once nobody else uses it.
//!
//! 200 is answered only when the grant is dead and the removal is on disk; a store that fails is a 503, never a 200.
//! A refresh token names its grant. An access token names all grants of the client to the Item that it opens.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::client_auth::Authenticated;
use super::endpoint::Call;
use super::error::TokenError;
use crate::app::App;
use crate::config::ClientKind;
use crate::secret::PlaidAccessToken;
use crate::store::TokenKind;
use crate::store::model::{Grant, GrantId, Revocation};
use crate::telemetry::audit::Actor;

pub async fn revoke(State(app): State<App>, call: Call, body: Body) -> Response {
    let answer = serve(&app, &call, body).await;
    // The body means nothing (RFC 7009 2.2); clients that read every answer as JSON stumble over an empty one.
    call.answer(&app, answer.map(|()| Json(json!({})).into_response()))
}

async fn serve(app: &App, call: &Call, body: Body) -> Result<(), TokenError> {
    let request = call.read(app, body).await?;
    let clients = app.clients();
    let client = request.authenticate(app, &clients)?;
    let is_public = matches!(client.client.kind, ClientKind::Public);
    // Even where the token endpoint accepts a confidential client without its secret (in the sandbox).
    if !client.proven && !is_public {
        return Err(request.secret_missing());
    }
    let named = grants(app, &client, request.token()?).await?;
    if named.is_empty() {
        // Unknown tokens are as good as revoked (RFC 7009 2.2).
        return Ok(());
    }
    let own = named.iter().filter(|grant| grant.client_id == client.client.id);
    let own: Vec<GrantId> = own.map(|grant| grant.id).collect();
    if own.is_empty() {
        return Err(TokenError::InvalidGrant("the token was issued to another client"));
    }
    call.facts.note(|known| known.found = true);
    let store = app.store.by(call.origin().with_actor(Actor::Client));
    for grant in own {
        store
            .revoke(grant, Revocation::GrantAndConnection, app.clock.now())
            .await?;
        tracing::info!(%grant, oauth.client_id = %client.client.id, "grant revoked by its client");
    }
    app.connections.removals_wanted();
    Ok(())
}

/// The grants that the token names, of whichever client. The kind is known by the token itself, so `token_type_hint` is
/// not needed (RFC 7009 2.1).
async fn grants(app: &App, client: &Authenticated<'_>, token: &str) -> Result<Vec<Grant>, TokenError> {
    if token.starts_with(PlaidAccessToken::PREFIX) {
        let found = app
            .store
            .all_grants_by_access_token(PlaidAccessToken::new(token))
            .await?;
        return Ok(found.into_iter().map(|(grant, _)| grant).collect());
    }
    let tokens = app.store.tokens();
    let Some(presented) = tokens.parse(TokenKind::RefreshToken, token) else {
        return Ok(Vec::new());
    };
    let found = app.store.grant(GrantId(presented.id())).await?;
    // A public client's token may have rotated since; its keyed check says that it was of this grant.
    let is_public = matches!(client.client.kind, ClientKind::Public);
    let named = found.map(|(grant, _)| grant);
    let named = named.filter(|grant| is_public || presented.belongs_to(tokens, &grant.nonce));
    Ok(named.into_iter().collect())
}
