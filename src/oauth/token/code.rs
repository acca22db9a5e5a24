//! Redeeming a code: everything it is bound to is compared first, and then one write decides who wins it.

use std::time::Duration;

use super::Granted;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::ClientKind;
use crate::oauth::client_auth::Authenticated;
use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::oauth::redirect::RedirectTarget;
use crate::oauth::{pkce, scope};
use crate::random;
use crate::secret::OwnToken;
use crate::store::TokenKind;
use crate::store::model::{
    Authorization, AuthorizationId, Flow, Grant, GrantId, NewGrant, OAuthRequest, RedeemOutcome, Redemption,
    Revocation,
};
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

const INVALID: TokenError =
    TokenError::InvalidGrant("the code is not valid; send the person through the flow again");

/// How soon after the first a second presentation is taken for a double submission.
const DOUBLE_SUBMISSION: Duration = Duration::from_secs(20);

/// Redeems a code for a grant. A failed attempt does not consume it: only the winner's write does.
pub(super) async fn redeem(
    app: &App,
    origin: Origin,
    client: &Authenticated<'_>,
    code: &OwnToken,
    params: &Params,
) -> Result<Granted, TokenError> {
    let tokens = app.store.tokens();
    let Some(presented) = tokens.parse(TokenKind::Code, code.expose()) else {
        if TokenKind::of(code.expose()) == Some(TokenKind::RefreshToken) {
            return Err(TokenError::InvalidGrant(
                "that is a refresh token; send it as refresh_token",
            ));
        }
        return Err(INVALID);
    };
    let stored = app.store.authorization(AuthorizationId(presented.id())).await?;
    let own = stored.filter(|stored| presented.belongs_to(tokens, &stored.nonce));
    let authorization = own.ok_or(INVALID)?;
    let Flow::OAuth(request) = &authorization.flow else {
        return Err(INVALID);
    };
    check_bindings(request, client, params)?;
    // Whoever received the code has lost the right to it with the callback.
    if RedirectTarget::again(&app.clients(), request).is_none() {
        tracing::warn!(security.event = "code_of_a_removed_callback", oauth.client_id = %client.client.id,
            "a code was presented whose redirect URI was removed");
        return Err(TokenError::InvalidGrant(
            "the redirect_uri that the code was sent to is no longer registered; send the person through the flow again",
        ));
    }

    let now = app.clock.now();
    let grant = NewGrant {
        id: GrantId(random::id(now)),
        nonce: random::nonce(),
        client_id: client.client.id.clone(),
        scope: granted_scope(app, &authorization),
    };
    let redemption = Redemption {
        authorization_id: authorization.id,
        grant,
    };
    let (grant, outcome) = app.connections.redeem(redemption, origin.clone(), now).await?;
    match outcome {
        RedeemOutcome::Redeemed(connection) => {
            app.metrics.flow.code("redeemed");
            let grant = Grant {
                id: grant.id,
                nonce: grant.nonce,
                client_id: grant.client_id,
                connection_id: connection.id,
                scope: grant.scope,
                created_at: now,
                revoked_at: None,
                rotated: None,
            };
            Ok(Granted { grant, connection })
        }
        RedeemOutcome::AlreadyRedeemed { grant_id, at } => {
            app.metrics.flow.code("replayed");
            replayed(app, origin, client, grant_id, at).await?;
            Err(TokenError::InvalidGrant(
                "the code was used before; a code can be redeemed once",
            ))
        }
        RedeemOutcome::Expired => {
            app.metrics.flow.code("expired");
            Err(TokenError::InvalidGrant(
                "the code has expired; send the person through the flow again",
            ))
        }
        RedeemOutcome::NotRedeemable => Err(INVALID),
    }
}

/// Always a security event. A confidential client's grant lives on: nobody else could have redeemed the code, and Kore.ai
/// may simply send it again. A public client's is ended (RFC 6749 4.1.2), unless this looks like a double submission; the
/// Item stays, since a replay alone must not be able to remove it.
async fn replayed(
    app: &App,
    origin: Origin,
    client: &Authenticated<'_>,
    grant_id: GrantId,
    redeemed_at: Timestamp,
) -> Result<(), TokenError> {
    let is_public = matches!(client.client.kind, ClientKind::Public);
    let now = app.clock.now();
    let ends = is_public && now.since(redeemed_at) >= DOUBLE_SUBMISSION;
    tracing::warn!(security.event = "code_replayed", grant = %grant_id, oauth.client_id = %client.client.id,
        grant_ended = ends, "a code was presented again");
    let new = NewAudit::new(AuditEvent::CodeReplayed, Actor::Client)
        .client(&client.client.id)
        .grant(grant_id);
    let words = if ends {
        "the grant is ended"
    } else {
        "the grant lives on"
    };
    app.audit
        .note(new.outcome(AuditOutcome::Refused, words).from(&origin));
    if ends {
        let store = app.store.by(origin.with_actor(Actor::Broker));
        store.revoke(grant_id, Revocation::Grant, now).await?;
    }
    Ok(())
}

/// The client, the redirect URI when it was sent (RFC 6749 4.1.3), and PKCE (RFC 7636 4.6).
fn check_bindings(
    request: &OAuthRequest,
    client: &Authenticated<'_>,
    params: &Params,
) -> Result<(), TokenError> {
    if request.client_id != client.client.id {
        tracing::warn!(security.event = "code_of_another_client", oauth.client_id = %client.client.id,
            "a code was presented by a client that it was not issued to");
        return Err(TokenError::InvalidGrant("the code was issued to another client"));
    }
    if params
        .get("redirect_uri")
        .is_some_and(|sent| sent != request.redirect_uri)
    {
        return Err(TokenError::InvalidGrant(
            "redirect_uri is not the one that the code was asked for with",
        ));
    }
    Ok(pkce::check_verifier(
        request.code_challenge.as_deref(),
        params.get("code_verifier"),
    )?)
}

/// What the authorization was narrowed to, even where the settings have changed since then.
fn granted_scope(app: &App, authorization: &Authorization) -> Vec<String> {
    let narrowed = authorization.scope.clone();
    narrowed.unwrap_or_else(|| scope::names(&app.config.link.products))
}
