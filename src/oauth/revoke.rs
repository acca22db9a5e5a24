//! Revocation (RFC 7009): ends the grant, and the connection at Plaid once nobody else uses it.
//!
//! 200 is answered only when the grant is dead and the removal is on disk; a store that fails is a 503, never a 200.
//! A refresh token names its grant. An access token names all grants of the client to the Item that it opens.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::client_auth::Authenticated;
use super::endpoint::{self, Attempt, Sent};
use super::error::TokenError;
use crate::app::App;
use crate::config::ClientKind;
use crate::http::client_ip::Peer;
use crate::request_log::Endpoint;
use crate::secret::PlaidAccessToken;
use crate::store::TokenKind;
use crate::store::model::{Grant, GrantId, Revocation};
use crate::telemetry::audit::Actor;

/// `POST /oauth/revoke`.
pub async fn revoke(
    State(app): State<App>,
    axum::Extension(peer): axum::Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let sent = Sent::new(query.as_deref(), &headers, body);
    let mut attempt = Attempt::new(&app, Endpoint::Revocation, peer);
    let answer = serve(&app, peer, &mut attempt, sent).await;
    // The body means nothing (RFC 7009 2.2); clients that read every answer as JSON stumble over an empty one.
    let answer = answer.map(|words| (Json(serde_json::json!({})).into_response(), words));
    attempt.answered(&app, answer)
}

async fn serve(
    app: &App,
    peer: Peer,
    attempt: &mut Attempt,
    sent: Sent<'_>,
) -> Result<&'static str, TokenError> {
    const NOTHING: &str = "there was nothing to end: the token is not one that is good now";
    let request = endpoint::read(app, peer, sent, attempt).await?;
    let clients = app.clients();
    let client = request.client(app, &clients, attempt)?;
    request.must_be_proven(&client)?;
    let token = request.token()?;
    let named = grants(app, &client, token).await?;
    if named.is_empty() {
        // Unknown tokens are as good as revoked (RFC 7009 2.2).
        return Ok(NOTHING);
    }
    let own = named.iter().filter(|grant| grant.client_id == client.client.id);
    let own: Vec<GrantId> = own.map(|grant| grant.id).collect();
    if own.is_empty() {
        return Err(TokenError::InvalidGrant("the token was issued to another client"));
    }
    attempt.entry.proven();
    let store = app.store.by(attempt.origin().with_actor(Actor::Client));
    for grant in own {
        store
            .revoke(grant, Revocation::GrantAndConnection, app.clock.now())
            .await?;
        tracing::info!(%grant, oauth.client_id = %client.client.id, "grant revoked by its client");
    }
    app.connections.removals_wanted();
    Ok("the grant was ended")
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
