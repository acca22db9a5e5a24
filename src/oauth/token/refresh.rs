//! Refresh: the same access token again, unless Plaid positively says that it is dead.
//!
//! Kore.ai turns a failed refresh into an error state and an e-mail, and the token of an Item does not expire: so a
//! refresh fails open when Plaid is down, slow or rate-limiting.

use super::answer::Granted;
use crate::app::App;
use crate::connections::Health;
use crate::oauth::client_auth::Authenticated;
use crate::oauth::error::TokenError;
use crate::plaid::{PlaidError, Verdict};
use crate::secret::OwnToken;
use crate::store::TokenKind;
use crate::store::model::GrantId;

const INVALID: TokenError =
    TokenError::InvalidGrant("the refresh token is not valid; send the person through the flow again");

/// Answers a refresh token of a confidential client; it does not rotate.
pub(super) async fn refresh(
    app: &App,
    client: &Authenticated<'_>,
    token: &OwnToken,
) -> Result<Granted, TokenError> {
    let tokens = app.store.tokens();
    let presented = tokens
        .parse(TokenKind::RefreshToken, token.expose())
        .ok_or(INVALID)?;
    let (grant, connection) = app.store.grant(GrantId(presented.id())).await?.ok_or(INVALID)?;
    if !presented.belongs_to(tokens, &grant.nonce) {
        return Err(INVALID);
    }
    if grant.client_id != client.client.id {
        tracing::warn!(security.event = "refresh_of_another_client", grant = %grant.id,
            oauth.client_id = %client.client.id, "a refresh token was presented by a client that it is not of");
        return Err(TokenError::InvalidGrant(
            "the refresh token was issued to another client",
        ));
    }
    if grant.revoked_at.is_some() || connection.removed_at.is_some() {
        return Err(TokenError::InvalidGrant(
            "the connection was ended; send the person through the flow again",
        ));
    }
    match app.connections.health(&connection).await {
        Health::Healthy => {}
        Health::Unknown => {
            tracing::warn!(grant = %grant.id, "Plaid could not say whether the connection is alive; answered as before");
        }
        Health::Dead(error) => {
            let description = match error.verdict() {
                Verdict::LoginRequired => {
                    "the bank asks the person to log in again; send them through the flow again"
                }
                _ => "the connection is gone at Plaid; send the person through the flow again",
            };
            return Err(TokenError::PlaidSaidNo {
                description,
                source: PlaidError::Api(error),
            });
        }
    }
    Ok(Granted { grant, connection })
}
