//! A raw Plaid public token as the grant, as the Kore.ai guide's endpoint took it: for clients that proved themselves
//! and are allowed to.

use super::Granted;
use crate::app::App;
use crate::oauth::client_auth::{Authenticated, ClientAuthError};
use crate::oauth::error::TokenError;
use crate::oauth::scope;
use crate::plaid::connections::ExchangeError;
use crate::secret::PlaidPublicToken;
use crate::telemetry::audit::Origin;

/// Exchanges the token, once; the same client's repeat gets the same answer for half an hour.
pub(super) async fn exchange(
    app: &App,
    origin: Origin,
    client: &Authenticated<'_>,
    public_token: PlaidPublicToken,
) -> Result<Granted, TokenError> {
    if !client.client.raw_public_tokens {
        return Err(TokenError::UnauthorizedClient(
            "this client may not exchange Plaid public tokens",
        ));
    }
    if !client.proven {
        return Err(TokenError::Client(ClientAuthError::SecretMissing));
    }
    let lists = &app.config.link.products;
    // What a client may not ask for is not granted to it here either.
    let granted = scope::narrow(None, client.client.products.as_deref(), lists)
        .map_err(|_| TokenError::UnauthorizedClient("none of this client's products is configured"))?
        .unwrap_or_else(|| scope::names(lists));
    let id = client.client.id.clone();
    let (grant, connection) = app
        .connections
        .exchange_raw(id, granted, public_token, origin)
        .await
        .map_err(refused)?;
    Ok(Granted { grant, connection })
}

fn refused(error: ExchangeError) -> TokenError {
    match error {
        ExchangeError::Refused(source) => TokenError::PlaidSaidNo {
            description: "Plaid refused the public token: it is wrong, expired (30 minutes), used, or of another \
                          environment",
            source,
        },
        ExchangeError::Lost(source) => TokenError::PlaidSaidNo {
            description: "the exchange's answer was lost and the public token is burnt; go through Plaid Link again",
            source,
        },
        ExchangeError::Taken | ExchangeError::NotOpen => {
            TokenError::InvalidGrant("the public token was exchanged before")
        }
        ExchangeError::Plaid(error) => TokenError::Plaid(error),
        ExchangeError::Store(error) => TokenError::Store(error),
        ExchangeError::Busy => TokenError::Busy,
        ExchangeError::Task => TokenError::Task,
    }
}
