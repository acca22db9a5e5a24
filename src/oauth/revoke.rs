//! Revocation (RFC 7009): ends the grant, and the connection at Plaid once nobody else uses it.
//!
//! 200 is answered only when the grant is dead and the removal is on disk; a store that fails is a 503, never a 200.
//! Refresh tokens alone are accepted: finding an access token would need a second random index in the store.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::endpoint::{self, Attempt, Sent};
use super::error::TokenError;
use crate::app::App;
use crate::audit::Actor;
use crate::config::ClientKind;
use crate::middleware::peer::Peer;
use crate::record::Endpoint;
use crate::store::TokenKind;
use crate::store::model::{GrantId, Revocation};

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
    const NOTHING: &str = "there was nothing to end: the token is not a refresh token that is good now";
    let request = endpoint::read(app, peer, sent, attempt).await?;
    let clients = app.clients();
    let client = request.client(app, &clients, attempt)?;
    request.must_be_proven(&client)?;
    let token = request.token()?;
    if token.starts_with("access-") {
        return Err(TokenError::UnsupportedTokenType);
    }
    // Unknown tokens are as good as revoked (RFC 7009 2.2).
    let tokens = app.store.tokens();
    let Some(presented) = tokens.parse(TokenKind::RefreshToken, token) else {
        return Ok(NOTHING);
    };
    let Some((grant, _)) = app.store.grant(GrantId(presented.id())).await? else {
        return Ok(NOTHING);
    };
    // A public client's token may have rotated since; its keyed check says that it was of this grant.
    let is_public = matches!(client.client.kind, ClientKind::Public);
    if !is_public && !presented.belongs_to(tokens, &grant.nonce) {
        return Ok(NOTHING);
    }
    if grant.client_id != client.client.id {
        return Err(TokenError::InvalidGrant("the token was issued to another client"));
    }
    attempt.entry.proven();
    app.store
        .by(attempt.origin().with_actor(Actor::Client))
        .revoke(grant.id, Revocation::GrantAndConnection, app.clock.now())
        .await?;
    app.connections.removals_wanted();
    tracing::info!(grant = %grant.id, oauth.client_id = %client.client.id, "grant revoked by its client");
    Ok("the grant was ended")
}
