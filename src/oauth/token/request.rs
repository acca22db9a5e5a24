//! What a token request says: its grant.

use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::secret::{OwnToken, PlaidPublicToken};

/// How a raw Plaid public token begins (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>).
const PUBLIC_TOKEN_PREFIX: &str = "public-";

/// What is presented for an access token.
#[derive(Debug)]
pub(super) enum TokenGrant {
    Code(OwnToken),
    /// A raw Plaid public token, as the guide's endpoint took it.
    PublicToken(PlaidPublicToken),
    /// A refresh token of ours.
    Refresh(OwnToken),
}

impl TokenGrant {
    /// Its name in logs and metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Code(_) => "authorization_code",
            Self::PublicToken(_) => "public_token",
            Self::Refresh(_) => "refresh_token",
        }
    }
}

/// Finds the one grant. `grant_type` may be absent, but when it is there it must fit.
pub(super) fn grant(params: &Params) -> Result<TokenGrant, TokenError> {
    let code = params.get("code");
    let public_token = params.get("public_token");
    let refresh_token = params.get("refresh_token");
    let wants_refresh = match params.get("grant_type") {
        Some("authorization_code") => false,
        Some("refresh_token") => true,
        None => code.is_none() && public_token.is_none() && refresh_token.is_some(),
        Some(_) => return Err(TokenError::GrantType),
    };
    if wants_refresh {
        let token = refresh_token.ok_or(TokenError::Missing("refresh_token"))?;
        return Ok(TokenGrant::Refresh(OwnToken::new(token)));
    }
    let token = match (code, public_token) {
        (Some(code), Some(public_token)) if code != public_token => {
            return Err(TokenError::InvalidRequest("send code or public_token, not both"));
        }
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => return Err(TokenError::Missing("code")),
    };
    if token.starts_with(PUBLIC_TOKEN_PREFIX) {
        return Ok(TokenGrant::PublicToken(PlaidPublicToken::new(token)));
    }
    if code.is_none() {
        return Err(TokenError::InvalidGrant(
            "public_token is not a Plaid public token",
        ));
    }
    Ok(TokenGrant::Code(OwnToken::new(token)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn of(form: &str) -> Result<String, String> {
        match grant(&Params::from_form(form.as_bytes()).unwrap()) {
            Ok(TokenGrant::Code(token)) => Ok(format!("code {}", token.expose())),
            Ok(TokenGrant::PublicToken(token)) => Ok(format!("public {}", token.expose())),
            Ok(TokenGrant::Refresh(token)) => Ok(format!("refresh {}", token.expose())),
            Err(error) => Err(error.code().1.to_owned()),
        }
    }

    #[test]
    fn each_row_of_the_contract() {
        for (form, expected) in [
            ("grant_type=authorization_code&code=a", Ok("code a")),
            ("code=a", Ok("code a")),
            ("code=public-sandbox-1", Ok("public public-sandbox-1")),
            ("public_token=public-sandbox-1", Ok("public public-sandbox-1")),
            (
                "code=public-sandbox-1&public_token=public-sandbox-1",
                Ok("public public-sandbox-1"),
            ),
            ("grant_type=refresh_token&refresh_token=r", Ok("refresh r")),
            ("refresh_token=r", Ok("refresh r")),
            ("grant_type=refresh_token&refresh_token=r&code=", Ok("refresh r")),
            ("", Err("invalid_request")),
            ("grant_type=authorization_code", Err("invalid_request")),
            ("grant_type=refresh_token", Err("invalid_request")),
            ("grant_type=password&username=u", Err("unsupported_grant_type")),
            ("code=a&public_token=public-x", Err("invalid_request")),
            ("public_token=access-sandbox-1", Err("invalid_grant")),
        ] {
            assert_eq!(
                of(form),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{form}"
            );
        }
    }
}
