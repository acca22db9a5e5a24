//! Redeeming a code: everything it is bound to is compared first, and then one write decides who wins it.

use super::answer::Granted;
use crate::app::App;
use crate::oauth::client_auth::Authenticated;
use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::oauth::{pkce, scope};
use crate::plaid;
use crate::random;
use crate::secret::OwnToken;
use crate::store::TokenKind;
use crate::store::model::{
    Flow, Grant, GrantId, NewGrant, OAuthRequest, RedeemOutcome, Redemption, Transaction, TransactionId,
};

const INVALID: TokenError =
    TokenError::InvalidGrant("the code is not valid; send the person through the flow again");

/// Redeems a code for a grant. A failed attempt does not consume it: only the winner's write does.
pub(super) async fn redeem(
    app: &App,
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
    let transaction = app
        .store
        .transaction(TransactionId(presented.id()))
        .await?
        .ok_or(INVALID)?;
    if !presented.belongs_to(tokens, &transaction.nonce) {
        return Err(INVALID);
    }
    let Flow::OAuth(request) = &transaction.flow else {
        return Err(INVALID);
    };
    check_bindings(request, client, params)?;

    let now = app.clock.now();
    let grant = NewGrant {
        id: GrantId(random::id(now)),
        nonce: random::nonce(),
        client_id: client.client.id.clone(),
        scope: granted_scope(app, &transaction),
    };
    let redemption = Redemption {
        transaction_id: transaction.id,
        grant: grant.clone(),
    };
    match app.store.redeem(redemption, now).await? {
        RedeemOutcome::Redeemed(connection) => {
            let NewGrant {
                id,
                nonce,
                client_id,
                scope,
            } = grant;
            let connection_id = connection.id;
            let grant = Grant {
                id,
                nonce,
                client_id,
                connection_id,
                scope,
                created_at: now,
                revoked_at: None,
                rotated: None,
            };
            Ok(Granted { grant, connection })
        }
        RedeemOutcome::AlreadyRedeemed { grant_id, .. } => {
            tracing::warn!(security.event = "code_replayed", transaction = %transaction.id, grant = %grant_id,
                oauth.client_id = %client.client.id, "a code was presented again");
            Err(TokenError::InvalidGrant(
                "the code was used before; a code can be redeemed once",
            ))
        }
        RedeemOutcome::Expired => Err(TokenError::InvalidGrant(
            "the code has expired; send the person through the flow again",
        )),
        RedeemOutcome::NotRedeemable => Err(INVALID),
    }
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

fn granted_scope(app: &App, transaction: &Transaction) -> Vec<String> {
    let configured = &app.config.link.products;
    let narrowed = transaction
        .scope
        .as_deref()
        .and_then(|wanted| plaid::narrow(configured, wanted));
    scope::names(narrowed.as_ref().unwrap_or(configured))
}
